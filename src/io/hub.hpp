// Downloading a model from a Hugging Face-compatible hub.
// Protocol: https://huggingface.co/docs/hub/api (models, tree) and .../resolve/main/FILE
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "base/progress.hpp"
#include "base/result.hpp"

namespace ponder {

struct PullOptions {
  std::string name;  // OWNER/REPO, OWNER/REPO:FILE.gguf or OWNER/REPO:QUANT
  std::string hub = "https://huggingface.co";
  std::string token;                  // of the user at the hub; empty: none
  std::filesystem::path cache;        // the model goes to cache/OWNER/REPO
  ProgressSink progress;              // bytes of all files; may be empty
  std::chrono::seconds patience{60};  // how long the hub may be silent

  // Token from $HF_TOKEN, cache in cache_folder().
  static PullOptions from_environment(std::string name);
};

// Downloads what is missing and returns the path to load: a folder with safetensors, or a .gguf
// file. A download that was interrupted goes on where it stopped; a finished one is verified by
// size and, where the hub gives one, SHA-256. A model that is complete is returned without asking
// the hub.
Result<std::filesystem::path> pull(const PullOptions& options);

// The path of a model that was pulled under this name from any hub and is still complete; empty if
// there is none.
std::filesystem::path find_pulled(const std::filesystem::path& cache, const std::string& text);

}  // namespace ponder
