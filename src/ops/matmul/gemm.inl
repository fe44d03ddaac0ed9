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

// One stretch of the depth for some groups: all columns pass by.
template <typename V, bool kTiles>
struct GemmPass {
  const GemmTask& task;
  int64_t group, begin;  // first group and first k
  GemmBlock block;

  PONDER_INLINE const float* column(int64_t c) const {
    if constexpr (kTiles)
      return task.x + c / kGroupRows * task.x_stride + begin * kGroupRows + c % kGroupRows;
    return task.x + (task.index == nullptr ? c : task.index[c]) * task.x_stride + begin;
  }

  template <int kGroups, int kColumns>
  PONDER_INLINE void multiply(int64_t first) {
    const float* x[kColumns];
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) x[c] = column(first + c);
    block.x = x;
    block.y = task.y + group * task.y_group + first * task.y_column;
    gemm_block<V, kGroups, kColumns, kTiles ? kGroupRows : 1>(task, block);
  }

  template <int kGroups>
  PONDER_INLINE void multiply_range(int64_t first, int64_t end) {
    for (; first + V::kTileColumns <= end; first += V::kTileColumns)
      multiply<kGroups, V::kTileColumns>(first);
    if (first + 4 <= end) {
      multiply<kGroups, 4>(first);
      first += 4;
    }
    if (first + 2 <= end) {
      multiply<kGroups, 2>(first);
      first += 2;
    }
    if (first < end) multiply<kGroups, 1>(first);
  }

  template <int kGroups>
  PONDER_INLINE void multiply_all() {
    if constexpr (kTiles) {
      for (int64_t first = 0; first < task.columns; first += kGroupRows) {
        const int64_t end = first + kGroupRows;
        multiply_range<kGroups>(first, end < task.columns ? end : task.columns);
      }
    } else {
      multiply_range<kGroups>(0, task.columns);
    }
  }
};

// Groups to take together of those that are left: never one alone if that can be helped.
template <typename V>
PONDER_INLINE int64_t groups_together(int64_t left) {
  if (left >= V::kTileGroups && left != V::kTileGroups + 1) return V::kTileGroups;
  return V::kTileGroups == 1 || left == 1 ? 1 : 2;
}

template <typename V, bool kTiles>
void gemm(const GemmTask& task) noexcept {
  const int64_t groups = (task.lanes + kGroupRows - 1) / kGroupRows;
  for (int64_t begin = 0; begin < task.depth || begin == 0; begin += kGemmDepth<V>) {
    const int64_t left = task.depth - begin;
    const bool last = left <= kGemmDepth<V>;
    int64_t together = 0;
    for (int64_t group = 0; group < groups; group += together) {
      together = groups_together<V>(groups - group);
      const int64_t lanes = task.lanes - (group + together - 1) * kGroupRows;
      GemmPass<V, kTiles> pass{
          task,
          group,
          begin,
          {.lines = task.lines + group * task.group_stride + begin * kGroupRows,
           .x = nullptr,
           .y = nullptr,
           .bias = last && task.bias != nullptr ? task.bias + group * kGroupRows : nullptr,
           .depth = last ? left : kGemmDepth<V>,
           .lanes = static_cast<int>(lanes < kGroupRows ? lanes : kGroupRows),
           .start =
               begin == 0 || task.start == GemmStart::kAdd ? task.start : GemmStart::kContinue}};
      if constexpr (V::kTileGroups > 1) {
        if (together == 3) pass.template multiply_all<3>();
        if (together == 2) pass.template multiply_all<2>();
      }
      if (together == 1) pass.template multiply_all<1>();
    }
  }
}

template <typename V>
void pack_tiles(const TileTask& task) noexcept {
  for (int64_t column = 0; column < task.columns; column += kGroupRows) {
    const int64_t left = task.columns - column;
    const int lanes = static_cast<int>(left < kGroupRows ? left : kGroupRows);
    float* out = task.out + column * task.rows;
    for (int64_t k = 0; k < task.rows; ++k) {
      const float* row = task.x + (task.index == nullptr ? k : task.index[k]) * task.stride;
      V::store(out + k * kGroupRows, load_lanes<V>(row + column, lanes));
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
  kernels.rows = gemm<V, false>;
  kernels.tiles = gemm<V, true>;
  kernels.pack_tiles = pack_tiles<V>;
  add_transposes<V>(kernels, Formats{});
  return kernels;
}

}  // namespace ponder
