// Products of many columns in f32: sums[g, i, c] = Σ_k lines[g, k, i]·x[c, k], 16 outputs i of a
// group in the lanes. Forward, lines are packed weights and columns are rows of x; for dx lines are
// transposed weights; for dW lines and columns are dy and x, and the sum is over tokens. Every sum
// runs in ascending k with fused multiply-adds, as the kernels for few columns do.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/macros.hpp"

namespace ponder {

// What a sum begins with, or meets in the end.
enum class GemmStart { kZero, kContinue, kAdd };  // y = Σ; y as the first term; y + Σ

// Rows in memory: row r at x + (index ? index[r] : r)·stride.
struct RowSource {
  const float* x = nullptr;
  int64_t stride = 0;
  const int32_t* index = nullptr;

  PONDER_INLINE const float* row(int64_t r) const {
    return x + (index == nullptr ? r : index[r]) * stride;
  }
};

struct GemmTask {
  const float* lines = nullptr;  // line k of group g at lines + g·group_stride + 16·k
  int64_t group_stride = 0;
  int64_t lanes = 0;        // outputs: 16 of each group, but fewer of the last one
  RowSource x;              // row c has the elements k of column c …
  bool transposed = false;  // … or row k those of all columns
  int64_t columns = 0;
  int64_t depth = 0;   // of the sum; at most kTurnedDepth if transposed
  float* y = nullptr;  // output (g, i, c) at y + g·y_group + c·y_column + i
  int64_t y_group = 0, y_column = 0;
  const float* bias = nullptr;  // (lanes) or nullptr
  GemmStart start = GemmStart::kZero;
};

inline constexpr int64_t kTurnedDepth = 128;

// Lines of a task whose sum runs over rows: 16 neighbours of each row.
struct LinesTask {
  RowSource x;
  int64_t rows = 0;
  int64_t columns = 0;   // what lies beyond, of the last line, becomes 0
  float* out = nullptr;  // (⌈columns/16⌉, rows, 16)
};

// Lines of the transposed weight: of groups [group_begin, group_end) the elements [col_begin,
// col_end) of K, as lines of 16 elements of K for each of their rows.
struct TransposeTask {
  const std::byte* weight = nullptr;  // packed matrix: groups of group_bytes
  int64_t group_bytes = 0;
  int64_t cols = 0;                    // K
  const float* block_scale = nullptr;  // as in MatmulTask
  int64_t group_begin = 0, group_end = 0;
  int64_t col_begin = 0,
          col_end = 0;   // col_begin: a multiple of 256, or of 16 where weights are f32
  float* out = nullptr;  // (⌈(col_end − col_begin)/16⌉, 16·(group_end − group_begin), 16)
};

inline constexpr int64_t kTransposeCols = 256;  // at most this many elements of K in one task

}  // namespace ponder
