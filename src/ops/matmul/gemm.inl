// Bodies of gemm.hpp over a vector type V of 16 lanes. As many groups and columns at a time as the
// registers hold: sums stay there for a stretch of the depth, whose lines stay in the L1 cache
// while all columns pass by.
#pragma once

#include "base/macros.hpp"
#include "ops/matmul/gemm.hpp"
#include "ops/matmul/matmul_kernel.hpp"
#include "ops/matmul/unpack.inl"

namespace ponder {

// Elements of the sum between two visits to y: lines of kTileGroups groups take 24 or 16 KiB.
template <typename V>
inline constexpr int64_t kGemmDepth = V::kTileGroups == 1 ? 256 : 128;

// The sums that the registers hold.
struct GemmBlock {
  const float* lines;     // of the first group, from the first k on
  const float* const* x;  // where each column starts
  float* y;
  const float* bias;  // of the first output, or nullptr
  int64_t depth;
  int lanes;  // of the last group
  GemmStart start;
};

template <typename V>
PONDER_INLINE typename V::Floats load_lanes(const float* p, int lanes) {
  return lanes == kGroupRows ? V::load(p) : V::load_prefix(p, lanes);
}
template <typename V>
PONDER_INLINE void store_lanes(float* p, typename V::Floats x, int lanes) {
  if (lanes == kGroupRows) {
    V::store(p, x);
  } else {
    V::store_prefix(p, x, lanes);
  }
}

// kStep: from one k to the next in x.
template <typename V, int kGroups, int kColumns, int kStep>
void gemm_block(const GemmTask& task, const GemmBlock& block) {
  using F = typename V::Floats;
  F sums[kGroups][kColumns];
  const float* x[kColumns];
  const float* lines[kGroups];
#pragma GCC unroll 8
  for (int c = 0; c < kColumns; ++c) x[c] = block.x[c];
#pragma GCC unroll 4
  for (int g = 0; g < kGroups; ++g) {
    lines[g] = block.lines + g * task.group_stride;
    const int lanes = g + 1 == kGroups ? block.lanes : kGroupRows;
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) {
      sums[g][c] = V::zero();
      if (block.start == GemmStart::kContinue)
        sums[g][c] = load_lanes<V>(block.y + g * task.y_group + c * task.y_column, lanes);
    }
  }
  if (block.start != GemmStart::kContinue) {
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) {
#pragma GCC unroll 8
      for (int c = 0; c < kColumns; ++c)
        __builtin_prefetch(block.y + g * task.y_group + c * task.y_column);
    }
  }
  for (int64_t k = 0; k < block.depth; ++k) {
    F w[kGroups];
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) w[g] = V::load(lines[g] + k * kGroupRows);
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) {
      const F value = V::set(x[c][k * kStep]);
#pragma GCC unroll 4
      for (int g = 0; g < kGroups; ++g) sums[g][c] = V::fma(w[g], value, sums[g][c]);
    }
  }
#pragma GCC unroll 4
  for (int g = 0; g < kGroups; ++g) {
    const int lanes = g + 1 == kGroups ? block.lanes : kGroupRows;
    float* y = block.y + g * task.y_group;
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c, y += task.y_column) {
      if (block.start == GemmStart::kAdd) sums[g][c] = V::add(load_lanes<V>(y, lanes), sums[g][c]);
      if (block.bias != nullptr)
        sums[g][c] = V::add(sums[g][c], load_lanes<V>(block.bias + g * kGroupRows, lanes));
      store_lanes<V>(y, sums[g][c], lanes);
    }
  }
}

// Groups to take together of those that are left: never one alone if that can be helped.
template <typename V>
PONDER_INLINE int64_t groups_together(int64_t left) {
  if (left >= V::kTileGroups && left != V::kTileGroups + 1) return V::kTileGroups;
  return V::kTileGroups == 1 || left == 1 ? 1 : 2;
}

// One stretch [begin, begin + depth) of the sum.
template <typename V>
struct GemmPass {
  const GemmTask& task;
  int64_t begin, depth;
  GemmStart start;
  bool ends;  // bias comes in

  // Columns [first, first + kColumns) whose elements start at x.
  template <int kGroups, int kColumns, int kStep>
  PONDER_INLINE void multiply(int64_t group, int64_t first, const float* const* x) const {
    const int64_t lanes = task.lanes - (group + kGroups - 1) * kGroupRows;
    const GemmBlock block{
        .lines = task.lines + group * task.group_stride + begin * kGroupRows,
        .x = x,
        .y = task.y + group * task.y_group + first * task.y_column,
        .bias = ends && task.bias != nullptr ? task.bias + group * kGroupRows : nullptr,
        .depth = depth,
        .lanes = static_cast<int>(lanes < kGroupRows ? lanes : kGroupRows),
        .start = start};
    gemm_block<V, kGroups, kColumns, kStep>(task, block);
  }

  // Rows of x lie far apart: those that come next are fetched meanwhile.
  PONDER_INLINE void prefetch_columns(int64_t first) const {
    const int64_t wanted = first + V::kTileColumns;
    const int64_t end = wanted < task.columns ? wanted : task.columns;
    for (int64_t c = first; c < end; ++c) {
      const float* x = task.x.row(c) + begin;
      for (int64_t k = 0; k < depth; k += kGroupRows) __builtin_prefetch(x + k);
    }
  }

  template <int kGroups, int kColumns>
  PONDER_INLINE void multiply_columns(int64_t group, int64_t first) const {
    prefetch_columns(first + kColumns);
    const float* x[kColumns];
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) x[c] = task.x.row(first + c) + begin;
    multiply<kGroups, kColumns, 1>(group, first, x);
  }

  template <int kGroups>
  PONDER_INLINE void multiply_all_columns(int64_t group) const {
    int64_t first = 0;
    for (; first + V::kTileColumns <= task.columns; first += V::kTileColumns)
      multiply_columns<kGroups, V::kTileColumns>(group, first);
    if (first + 4 <= task.columns) {
      multiply_columns<kGroups, 4>(group, first);
      first += 4;
    }
    if (first + 2 <= task.columns) {
      multiply_columns<kGroups, 2>(group, first);
      first += 2;
    }
    if (first < task.columns) multiply_columns<kGroups, 1>(group, first);
  }

  // Some columns of a turned tile (depth, 16) that starts at column `tile`.
  template <int kGroups, int kColumns>
  PONDER_INLINE void multiply_turned(int64_t group, const float* turned, int64_t tile,
                                     int64_t at) const {
    const float* x[kColumns];
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) x[c] = turned + at + c;
    multiply<kGroups, kColumns, kGroupRows>(group, tile + at, x);
  }

  template <int kGroups>
  PONDER_INLINE void multiply_tile(int64_t group, const float* turned, int64_t tile) const {
    const int64_t left = task.columns - tile;
    if (left >= kGroupRows) {
      if constexpr (V::kTileColumns == 8) {
        multiply_turned<kGroups, 8>(group, turned, tile, 0);
        multiply_turned<kGroups, 8>(group, turned, tile, 8);
      } else {
        multiply_turned<kGroups, 6>(group, turned, tile, 0);
        multiply_turned<kGroups, 5>(group, turned, tile, 6);
        multiply_turned<kGroups, 5>(group, turned, tile, 11);
      }
      return;
    }
    int64_t at = 0;
    for (; at + 4 <= left; at += 4) multiply_turned<kGroups, 4>(group, turned, tile, at);
    for (; at < left; ++at) multiply_turned<kGroups, 1>(group, turned, tile, at);
  }
};

template <typename V>
PONDER_INLINE void multiply_rows(const GemmTask& task, int64_t groups) {
  for (int64_t begin = 0; begin < task.depth || begin == 0; begin += kGemmDepth<V>) {
    const int64_t left = task.depth - begin;
    const bool ends = left <= kGemmDepth<V>;
    const GemmPass<V> pass{.task = task,
                           .begin = begin,
                           .depth = ends ? left : kGemmDepth<V>,
                           .start = begin == 0 ? task.start : GemmStart::kContinue,
                           .ends = ends};
    int64_t together = 0;
    for (int64_t group = 0; group < groups; group += together) {
      together = groups_together<V>(groups - group);
      if constexpr (V::kTileGroups > 1) {
        if (together == 3) pass.template multiply_all_columns<3>(group);
        if (together == 2) pass.template multiply_all_columns<2>(group);
      }
      if (together == 1) pass.template multiply_all_columns<1>(group);
    }
  }
}

// Some tiles of sixteen columns at a time are put side by side, where all groups meet them: rows
// lie far apart, and each is visited once for all these tiles; lines of a group stay for all of
// them.
template <typename V>
PONDER_INLINE void multiply_transposed(const GemmTask& task, int64_t groups) {
  constexpr int64_t kTiles = 4;
  constexpr int64_t kTile = kTurnedDepth * kGroupRows;
  alignas(64) float turned[kTiles * kTile];
  const GemmPass<V> pass{
      .task = task, .begin = 0, .depth = task.depth, .start = task.start, .ends = true};
  for (int64_t first = 0; first < task.columns; first += kTiles * kGroupRows) {
    const int64_t left = task.columns - first;
    const int64_t wide = left < kTiles * kGroupRows ? left : kTiles * kGroupRows;
    for (int64_t k = 0; k < task.depth; ++k) {
      const float* row = task.x.row(k) + first;
      float* out = turned + k * kGroupRows;
      for (int64_t at = 0; at < wide; at += kGroupRows, out += kTile) {
        if (left > wide) __builtin_prefetch(row + wide + at, 0, 2);
        const int lanes = static_cast<int>(wide - at < kGroupRows ? wide - at : kGroupRows);
        V::store(out, load_lanes<V>(row + at, lanes));
      }
    }
    int64_t together = 0;
    for (int64_t group = 0; group < groups; group += together) {
      together = groups_together<V>(groups - group);
      for (int64_t at = 0; at < wide; at += kGroupRows) {
        const float* tile = turned + at * kTurnedDepth;
        if constexpr (V::kTileGroups > 1) {
          if (together == 3) pass.template multiply_tile<3>(group, tile, first + at);
          if (together == 2) pass.template multiply_tile<2>(group, tile, first + at);
        }
        if (together == 1) pass.template multiply_tile<1>(group, tile, first + at);
      }
    }
  }
}

template <typename V>
void gemm(const GemmTask& task) noexcept {
  const int64_t groups = (task.lanes + kGroupRows - 1) / kGroupRows;
  if (task.transposed) {
    multiply_transposed<V>(task, groups);
  } else {
    multiply_rows<V>(task, groups);
  }
}

template <typename V>
void pack_lines(const LinesTask& task) noexcept {
  constexpr int64_t kTogether = 4;  // groups, so that a row is read in longer pieces
  constexpr int64_t kAhead = 8;     // rows
  const int64_t groups = (task.columns + kGroupRows - 1) / kGroupRows;
  const int64_t last = task.columns - (groups - 1) * kGroupRows;
  for (int64_t begin = 0; begin < groups; begin += kTogether) {
    const int64_t end = begin + kTogether < groups ? begin + kTogether : groups;
    for (int64_t k = 0; k < task.rows; ++k) {
      const float* row = task.x.row(k);
      const float* ahead = k + kAhead < task.rows ? task.x.row(k + kAhead) : row;
      for (int64_t group = begin; group < end; ++group) {
        const auto lanes = static_cast<int>(group + 1 < groups ? kGroupRows : last);
        __builtin_prefetch(ahead + group * kGroupRows);
        V::store(task.out + (group * task.rows + k) * kGroupRows,
                 load_lanes<V>(row + group * kGroupRows, lanes));
      }
    }
  }
}

// Lines [begin, end) of one packed group as f32: (end − begin, 16).
template <typename V, typename Format>
PONDER_INLINE void decode_lines(const TransposeTask& task, int64_t group, float* out) {
  const std::byte* packed = task.weight + group * task.group_bytes;
  if constexpr (Format::kIsBlock) {
    for_each_line<V, Format>(
        packed, task.cols, task.col_begin,
        task.col_end, [&](typename V::Floats value) __attribute__((always_inline)) {
          V::store(out, value);
          out += kGroupRows;
        });
  } else {
    constexpr int64_t kBlock = 128;  // rows and columns that share a scale
    const float* scales = nullptr;
    if (task.block_scale != nullptr)
      scales = task.block_scale + group * kGroupRows / kBlock * ((task.cols + kBlock - 1) / kBlock);
    for (int64_t k = task.col_begin; k < task.col_end; ++k, out += kGroupRows) {
      const float unit = kPlainUnit<Format> * (scales == nullptr ? 1.0f : scales[k / kBlock]);
      const auto value = load_plain<V, Format>(packed + k * kGroupRows * Format::kBlockBytes);
      V::store(out, V::mul(value, V::set(unit)));
    }
  }
}

// Sixteen lines (fewer are filled up with zeros) turned.
template <typename V>
PONDER_INLINE void transpose_lines(const float* lines, int64_t count, float* out) {
  typename V::Floats rows[kGroupRows];
#pragma GCC unroll 16
  for (int i = 0; i < kGroupRows; ++i)
    rows[i] = i < count ? V::load(lines + i * kGroupRows) : V::zero();
  V::transpose(rows);
#pragma GCC unroll 16
  for (int i = 0; i < kGroupRows; ++i) V::store(out + i * kGroupRows, rows[i]);
}

template <typename V, typename Format>
void transpose_task(const TransposeTask& task) noexcept {
  alignas(64) float decoded[Format::kDType == DType::kF32 ? 1 : kTransposeCols * kGroupRows];
  const int64_t count = task.col_end - task.col_begin;
  const int64_t depth = (task.group_end - task.group_begin) * kGroupRows;
  for (int64_t group = task.group_begin; group < task.group_end; ++group) {
    const float* lines = decoded;
    if constexpr (Format::kDType == DType::kF32) {
      lines = reinterpret_cast<const float*>(task.weight + group * task.group_bytes) +
              task.col_begin * kGroupRows;
    } else {
      decode_lines<V, Format>(task, group, decoded);
    }
    float* out = task.out + (group - task.group_begin) * kGroupRows * kGroupRows;
    for (int64_t k = 0; k < count; k += kGroupRows, out += depth * kGroupRows)
      transpose_lines<V>(lines + k * kGroupRows, count - k, out);
  }
}

template <typename V, typename... Format>
PONDER_INLINE void add_transposes(GemmKernels& kernels, FormatList<Format...>) {
  ((kernels.transpose[static_cast<int>(Format::kDType)] = transpose_task<V, Format>), ...);
}

template <typename V>
PONDER_INLINE GemmKernels gemm_kernels_of() {
  GemmKernels kernels;
  kernels.multiply = gemm<V>;
  kernels.pack_lines = pack_lines<V>;
  add_transposes<V>(kernels, Formats{});
  return kernels;
}

}  // namespace ponder
