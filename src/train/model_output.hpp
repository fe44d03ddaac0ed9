// What comes out of a run, and what is known of a model before it is opened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/trainable.hpp"
#include "text/tokenizer.hpp"
#include "train/communicator.hpp"

namespace ponder {

struct OutputPlaces {
  std::filesystem::path out;        // DIR
  std::filesystem::path base;       // the model that training began with; empty: none
  std::filesystem::path tokenizer;  // where its tokenizer is
  TrainableOptions options;
};

// DIR/model: the whole model in f32 with its tokenizer; of LoRA DIR/adapter instead, in PEFT's
// layout. Gives the SHA-256 of the tensors' bytes, in the order of the file.
Result<std::string> save_trained(const TrainableModel& model, const OutputPlaces& places);

// The SHA-256 of all tensors of a .safetensors file, in the order in which they lie there.
Result<std::string> tensors_sha256(const std::filesystem::path& file);

// Copies what a tokenizer is read from, or writes it if the source is a GGUF file.
Result<void> copy_tokenizer(const std::filesystem::path& from, const std::filesystem::path& folder);

// As Tokenizer::load, for a folder that holds one GGUF file too.
Result<Tokenizer> load_tokenizer_of(const std::filesystem::path& model);

// The modules that adapters are put on if nobody names any: all that a layer of this model has of
// those that PEFT's users choose, attention and dense feed-forward.
std::vector<std::string> usual_lora_modules(const Config& config);
// Parameters that adapters would have.
int64_t lora_parameters(const Config& config, const TrainableOptions& options);
// Bytes that a frozen model takes: those of its files.
uint64_t base_bytes(const std::filesystem::path& model);

// An error if ranks have come to different weights, which would be a bug.
Result<void> check_same_on_all_ranks(const TrainableModel& model, Communicator& ranks);

}  // namespace ponder
