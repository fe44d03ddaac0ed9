// Progress of long work: the work reports, the program shows and may ask to stop.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace ponder {

struct ProgressReport {
  std::string_view what;  // "loading", "downloading model.gguf" …
  uint64_t done = 0;      // in `unit`s
  uint64_t total = 0;     // 0: unknown
  std::string_view unit;  // "B", "tokens" …
};

// Called from the thread that does the work, at most a few hundred times a second.
// Returning false asks the work to stop: it then fails with an error whose what is "stopped".
using ProgressSink = std::function<bool(const ProgressReport&)>;

}  // namespace ponder
