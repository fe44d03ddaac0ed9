// Bodies of the matmul kernels that do not round activations, over a vector type V of 16 lanes.
// Layouts: packed.hpp. Each output element is one lane; its sum runs over K in ascending order, the
// same in every tile width, so results do not depend on how many columns there are.
#pragma once

#include "ops/matmul/matmul_kernel.hpp"
#include "ops/matmul/unpack.inl"

namespace ponder {

// Sums of some groups (16 rows each) for some columns.
template <typename V, int kGroups, int kColumns>
using GroupSums = typename V::Floats[kGroups][kColumns];

// Adds kColumns columns (from `x`, in a tile of kWidth).
template <typename V, typename Format, int kWidth, int kColumns>
PONDER_INLINE void add_blocks(const MatmulTask& task, const std::byte* group, const float* x,
                              typename V::Floats (&sums)[kColumns]) {
  for_each_line<V, Format>(
      group, task.cols, 0, task.cols, [&](typename V::Floats value) __attribute__((always_inline)) {
#pragma GCC unroll 16
        for (int c = 0; c < kColumns; ++c) sums[c] = V::fma(value, V::set(x[c]), sums[c]);
        x += kWidth;
      });
}

// Adds elements [begin, end) of K.
template <typename V, typename Format, int kWidth, int kGroups, int kColumns>
PONDER_INLINE void add_plain_range(const MatmulTask& task, const std::byte* weight, int64_t begin,
                                   int64_t end, const float* x,
                                   GroupSums<V, kGroups, kColumns>& sums) {
  constexpr int kBytes = kGroupRows * Format::kBlockBytes;  // of an element of K
  for (int64_t k = begin; k < end; ++k) {
    typename V::Floats w[kGroups];
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) {
      const std::byte* at = weight + g * task.group_bytes + k * kBytes;
      w[g] = load_plain<V, Format>(at);
      // Few columns: weights come from memory, and hardware prefetchers stop at pages.
      if constexpr (kGroups > 1) __builtin_prefetch(at + kPrefetchBytes / kGroups);
    }
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) {
      const auto value = V::set(x[k * kWidth + c]);
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; ++g) sums[g][c] = V::fma(w[g], value, sums[g][c]);
    }
  }
}

// Plain formats. With block scales (FP8), each 128 elements are summed apart and then scaled.
template <typename V, typename Format, int kWidth, int kGroups, int kColumns>
PONDER_INLINE void add_plain(const MatmulTask& task, int64_t group, const float* x,
                             GroupSums<V, kGroups, kColumns>& sums) {
  const std::byte* weight = task.weight + group * task.group_bytes;
  const auto unit = V::set(kPlainUnit<Format>);
  if (task.block_scale == nullptr) {
    add_plain_range<V, Format, kWidth, kGroups, kColumns>(task, weight, 0, task.cols, x, sums);
    if constexpr (kPlainUnit<Format> != 1.0f) {
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; ++g) {
#pragma GCC unroll 16
        for (int c = 0; c < kColumns; ++c) sums[g][c] = V::mul(sums[g][c], unit);
      }
    }
    return;
  }
  constexpr int64_t kBlock = 128;  // rows and columns that share a scale
  const int64_t scale_cols = (task.cols + kBlock - 1) / kBlock;
  for (int64_t begin = 0; begin < task.cols; begin += kBlock) {
    const int64_t end = begin + kBlock < task.cols ? begin + kBlock : task.cols;
    GroupSums<V, kGroups, kColumns> parts;
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) {
#pragma GCC unroll 16
      for (int c = 0; c < kColumns; ++c) parts[g][c] = V::zero();
    }
    add_plain_range<V, Format, kWidth, kGroups, kColumns>(task, weight, begin, end, x, parts);
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) {
      const int64_t row = (group + g) * kGroupRows;
      const auto scale =
          V::mul(V::set(task.block_scale[row / kBlock * scale_cols + begin / kBlock]), unit);
#pragma GCC unroll 16
      for (int c = 0; c < kColumns; ++c) sums[g][c] = V::fma(parts[g][c], scale, sums[g][c]);
    }
  }
}

// Columns [column, column + kColumns) of one tile, some groups: multiplies and stores.
template <typename V, typename Format, int kWidth, int kGroups, int kColumns>
PONDER_INLINE void multiply_groups(const MatmulTask& task, int64_t group, const float* tile,
                                   int64_t first, int column) {
  GroupSums<V, kGroups, kColumns> sums;
#pragma GCC unroll 8
  for (int g = 0; g < kGroups; ++g) {
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) sums[g][c] = V::zero();
  }
  if constexpr (Format::kIsBlock) {
    static_assert(kGroups == 1);
    add_blocks<V, Format, kWidth, kColumns>(task, task.weight + group * task.group_bytes,
                                            tile + column, sums[0]);
  } else {
    add_plain<V, Format, kWidth, kGroups, kColumns>(task, group, tile + column, sums);
  }
#pragma GCC unroll 8
  for (int g = 0; g < kGroups; ++g) {
    const int64_t row = (group + g) * kGroupRows, left = task.rows - row;
    const int lanes = static_cast<int>(left < kGroupRows ? left : int64_t{kGroupRows});
    float* y = task.y + (first + column) * task.y_stride + row;
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) {
      if (task.bias != nullptr)
        sums[g][c] = V::add(sums[g][c], V::load_prefix(task.bias + row, lanes));
      V::store_prefix(y + c * task.y_stride, sums[g][c], lanes);
    }
  }
}

// One tile of kWidth columns and the task's groups: as many columns at a time as the registers
// hold; with few columns several groups, as the sums of one would wait for themselves.
template <typename V, typename Format, int kWidth>
void multiply_tile(const MatmulTask& task, const float* tile, int64_t first) {
  constexpr int kColumns = kWidth < V::kColumns ? kWidth : V::kColumns;
  constexpr int kGroups = Format::kIsBlock || kColumns > 2 ? 1 : 4 / kColumns;
  int64_t group = task.group_begin;
  if constexpr (kGroups > 1) {
    for (; group + kGroups <= task.group_end; group += kGroups)
      multiply_groups<V, Format, kWidth, kGroups, kColumns>(task, group, tile, first, 0);
  }
  for (; group < task.group_end; ++group) {
    for (int column = 0; column < kWidth; column += kColumns)
      multiply_groups<V, Format, kWidth, 1, kColumns>(task, group, tile, first, column);
  }
}

template <typename V, typename Format>
void matmul_task(const MatmulTask& task) noexcept {
  for (int64_t first = 0; first < task.count;) {
    const int width = tile_width(first, task.count);
    const auto* tile = reinterpret_cast<const float*>(task.activations) + first * task.cols;
    if (width == 16) multiply_tile<V, Format, 16>(task, tile, first);
    if (width == 8) multiply_tile<V, Format, 8>(task, tile, first);
    if (width == 4) multiply_tile<V, Format, 4>(task, tile, first);
    if (width == 2) multiply_tile<V, Format, 2>(task, tile, first);
    if (width == 1) multiply_tile<V, Format, 1>(task, tile, first);
    first += width;
  }
}

template <typename V>
void pack_float_column(const ActivationTask& task) noexcept {
  const ColumnPlace place = column_place(task.column, task.count);
  float* out = reinterpret_cast<float*>(task.packed) + place.first * task.cols + place.column;
  for (int64_t k = 0; k < task.cols; ++k) out[k * place.width] = task.x[k];
}

// The kernels of all formats for activations in f32.
template <typename V, typename... Format>
PONDER_INLINE void add_float_kernels(MatmulKernels& kernels, FormatList<Format...>) {
  ((kernels.floats[static_cast<int>(Format::kDType)] = matmul_task<V, Format>), ...);
  kernels.pack_floats = pack_float_column<V>;
}

}  // namespace ponder
