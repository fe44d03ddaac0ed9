// How a set of products is cut into tasks. Sums do not depend on it.
#pragma once

#include <cstdint>

#include "base/checked_math.hpp"

namespace ponder {

// Groups of 16 outputs, and columns, that a task takes at most: its columns' stretch of the depth
// lies in the second-level cache.
struct GemmSplit {
  int64_t groups = 12;
  int64_t columns = 512;
};

// The largest pieces that give every thread several, or, of a single product, as many to each;
// `count(split)` says how many there are.
template <typename Count>
GemmSplit split_gemm(int64_t threads, bool single, Count&& count) {
  constexpr int64_t kTasksPerThread = 3;
  constexpr GemmSplit kSplits[] = {{12, 512}, {12, 256}, {6, 256}, {6, 128}, {3, 128}};
  if (threads == 1) return kSplits[0];
  for (const GemmSplit& split : kSplits) {
    const int64_t tasks = count(split);
    if (tasks >= kTasksPerThread * threads) return split;
    if (single && tasks > 0 && tasks % threads == 0) return split;
  }
  return kSplits[4];
}

constexpr int64_t pieces(const GemmSplit& split, int64_t groups, int64_t columns) {
  return ceil_div(groups, split.groups) * ceil_div(columns, split.columns);
}

// Where piece `i` of `count` nearly equal ones begins.
constexpr int64_t piece_begin(int64_t total, int64_t count, int64_t i) { return total * i / count; }

}  // namespace ponder
