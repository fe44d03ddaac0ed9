// The order in which examples are seen: put into groups of nearly the same size, and the groups
// shuffled. A function of lengths, seed and epoch, so a run needs to remember nothing of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ponder {

struct PackingOptions {
  int64_t group_tokens = 4096;  // of a group at most, unless one example alone is longer
  uint64_t seed = 0;
  bool shuffle = true;  // false: as packed, longest first
};

class GroupOrder {
 public:
  // Examples of these lengths (≥ 1).
  GroupOrder(std::vector<int64_t> lengths, const PackingOptions& options);

  int64_t groups() const { return groups_; }  // of one epoch; the same in each
  // Examples of group `index`, counted through all epochs.
  std::span<const int64_t> group(int64_t index);

 private:
  void pack(int64_t epoch);

  std::vector<int64_t> lengths_;
  PackingOptions options_;
  int64_t groups_ = 0;
  int64_t epoch_ = -1;  // that packed_ is of
  std::vector<std::vector<int64_t>> packed_;
};

}  // namespace ponder
