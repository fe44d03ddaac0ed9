// Models with the shape of real ones and random weights, for measuring speed without downloads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/progress.hpp"
#include "base/result.hpp"

namespace ponder {

struct SynthOptions {
  std::string shape;                   // a name of shape_names(), or NAME-N-layers
  std::filesystem::path output;        // a .gguf file; replaced if it exists
  std::string type = "q4_k_m";         // as in ConvertOptions
  std::optional<int64_t> layers = {};  // instead of the shape's
  uint64_t seed = 0;                   // same seed, same bytes, whatever the threads
  int threads = 0;                     // 0: one per CPU
  ProgressSink progress = {};          // unit "B"; may stop the work
};

// Writes the model as one GGUF file: matrices of deviation 0.02 in the formats that convert() would
// choose, norms of 1, a made-up vocabulary of the right size. No file appears unless all of it
// could be written. Errors: an unknown shape or type, impossible layers, no room on the disk
// (before anything is written), "stopped".
Result<void> synth(const SynthOptions& options);

}  // namespace ponder
