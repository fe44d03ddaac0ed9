// What a run will need in memory, told before it starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/config.hpp"

namespace ponder {

struct MemoryTable {
  struct Row {
    std::string what;  // "weights", "gradients" …
    uint64_t bytes = 0;
    std::string mend;  // what makes it smaller
  };
  std::vector<Row> rows = {};  // of one rank
  int ranks = 1;               // on this machine
  uint64_t available = 0;      // to all of them; 0: unknown

  uint64_t total() const;  // of all ranks
  // One line a row, aligned, and the sum, of all ranks.
  std::string text() const;
  // An error if the sum is more than what is available; it names the largest row and its mend.
  Result<void> check() const;
};

// Bytes that one pass over so many tokens at once takes besides weights and gradients: inputs of
// layers, what one layer keeps while it is computed again (what all keep, without `recompute`), and
// logits.
uint64_t activation_bytes(const Config& config, int64_t tokens, bool recompute);

// What the system, and the limit of the process's group, leave to this process now.
uint64_t available_memory();

}  // namespace ponder
