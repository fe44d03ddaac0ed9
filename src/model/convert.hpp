// Conversion of models to GGUF, with or without quantisation (model-spec §12-§14).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"

namespace ponder {

struct ConvertOptions {
  std::filesystem::path input;   // as for Model::open
  std::filesystem::path output;  // a .gguf file; replaced if it exists
  // A format ("f32", "bf16", "f16", "q8_0", "q6_k", "q4_k" …), or the mix "q4_k_m".
  std::string type = "q8_0";
  // Keep the multi-token-prediction block, under nextn.* names; an error if there is none. Programs
  // that do not know it for this architecture refuse such a file.
  bool keep_mtp = false;
  int threads = 0;             // 0: one per CPU
  ProgressSink progress = {};  // unit "B" of the input; may stop the conversion
};

// Names that ConvertOptions::type accepts.
std::vector<std::string> conversion_types();

// Writes the model at `input` as one GGUF file. Vectors and the router stay f32; a matrix whose
// rows are no whole number of blocks falls back to a format with smaller blocks, which the log
// tells. A GGUF's metadata and the tokenizer beside safetensors come along. No file appears unless
// the whole conversion succeeds. Errors: those of reading the model, an unknown type, a rope
// scaling that GGUF cannot say, no room on the disk, "stopped".
Result<void> convert(const ConvertOptions& options);

}  // namespace ponder
