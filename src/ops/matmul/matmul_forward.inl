// Bodies of the matmul kernels, over a vector type V. Layouts: packed.hpp. Each output element is
// one lane; its sum runs over K in ascending blocks of 32 (int8) or elements (float), the same in
// every tile width, so results do not depend on how many columns there are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/macros.hpp"
#include "ops/matmul/matmul_kernel.hpp"
#include "ops/matmul/packed.hpp"
#include "quant/formats.hpp"

namespace ponder {

// Quad kQuad of 32 elements × kLanes rows as unsigned bytes: low and high bits put together.
template <typename V, typename Format, int kQuad>
PONDER_INLINE typename V::Ints unpack_quad(const std::byte* bits) {
  using I = typename V::Ints;
  I w;
  if constexpr (Format::kLowBits == 8) {
    w = V::load_ints(bits + 64 * kQuad);
  } else if constexpr (Format::kLowBits == 4) {
    const I both = V::load_ints(bits + 64 * (kQuad % 4));
    w = V::and_bits(V::template shift_right<kQuad / 4 * 4>(both), V::set_bytes(15));
  } else {
    const I four = V::load_ints(bits + 64 * (kQuad % 2));
    w = V::and_bits(V::template shift_right<kQuad / 2 * 2>(four), V::set_bytes(3));
  }
  if constexpr (Format::kHighBits > 0) {
    constexpr int kPlanes = Format::kHighBits;  // vectors: 1 for one bit, 2 for two
    constexpr int kFrom = kQuad / kPlanes * kPlanes, kTo = Format::kLowBits;
    const std::byte* plane = bits + PackedBlocks<Format>::kLowBytes + 64 * (kQuad % kPlanes);
    I high = V::load_ints(plane);
    if constexpr (kFrom < kTo) high = V::template shift_left<kTo - kFrom>(high);
    if constexpr (kFrom > kTo) high = V::template shift_right<kFrom - kTo>(high);
    constexpr int kMask = ((1 << Format::kHighBits) - 1) << kTo;
    w = V::or_bits(w, V::and_bits(high, V::set_bytes(static_cast<int8_t>(kMask))));
  }
  if constexpr (Format::kHasCodebook) {
    alignas(16) static constexpr uint8_t kLevels[16] = {
        Format::kCodebook[0] + 128,  Format::kCodebook[1] + 128,  Format::kCodebook[2] + 128,
        Format::kCodebook[3] + 128,  Format::kCodebook[4] + 128,  Format::kCodebook[5] + 128,
        Format::kCodebook[6] + 128,  Format::kCodebook[7] + 128,  Format::kCodebook[8] + 128,
        Format::kCodebook[9] + 128,  Format::kCodebook[10] + 128, Format::kCodebook[11] + 128,
        Format::kCodebook[12] + 128, Format::kCodebook[13] + 128, Format::kCodebook[14] + 128,
        Format::kCodebook[15] + 128};
    w = V::look_up(kLevels, w);
  }
  return w;
}

template <typename V, typename Format>
PONDER_INLINE void unpack_quads(const std::byte* bits, typename V::Ints (&w)[8]) {
  w[0] = unpack_quad<V, Format, 0>(bits);
  w[1] = unpack_quad<V, Format, 1>(bits);
  w[2] = unpack_quad<V, Format, 2>(bits);
  w[3] = unpack_quad<V, Format, 3>(bits);
  w[4] = unpack_quad<V, Format, 4>(bits);
  w[5] = unpack_quad<V, Format, 5>(bits);
  w[6] = unpack_quad<V, Format, 6>(bits);
  w[7] = unpack_quad<V, Format, 7>(bits);
}

// Bits of an unpacked byte and what stands for zero in it.
template <typename Format>
inline constexpr int kByteBits = Format::kHasCodebook ? 8 : Format::kLowBits + Format::kHighBits;
template <typename Format>
inline constexpr int kByteOffset = Format::kHasCodebook ? 128 : Format::kOffset;

// How far ahead of its use a weight is fetched: about 200 ns at 10 GB/s and core.
inline constexpr int kPrefetchBytes = 8192;

constexpr int log2_of(int power) { return power <= 1 ? 0 : 1 + log2_of(power / 2); }

// Walks the scales of a packed group: first block(), then for each 32 elements sub_block().
template <typename V, typename Format>
struct ScaleReader {
  using F = typename V::Floats;
  using Packed = PackedBlocks<Format>;
  const std::byte* head;  // of the block, for this half of the rows
  F d, dmin;
  F scale[Packed::kHalves];  // of the 32 elements: d·scale
  F min[Packed::kHalves];    // dmin·min; the added m is stored negated
  typename V::Ints scale_ints[Packed::kHalves], min_ints[Packed::kHalves];  // of sub-scales

  PONDER_INLINE void block() {
    d = V::load_f16(head);
    if constexpr (Format::kHasMin) dmin = V::load_f16(head + 2 * kGroupRows);
    if constexpr (!Format::kHasSubScales) {
      scale[0] = d;
      if constexpr (Format::kMinIsAdded) min[0] = V::sub(V::zero(), dmin);
    }
  }
  // `row`: first of this half's rows in the group.
  PONDER_INLINE void sub_block(int index, int row) {
    if constexpr (Format::kHasSubScales) {
      const std::byte* scales =
          head - 2 * row + Packed::kHeadBytes + index * Packed::kSubScaleBytes;
#pragma GCC unroll 2
      for (int h = 0; h < Packed::kHalves; ++h) {
        scale_ints[h] = V::load_i8(scales + kGroupRows * h + row);
        scale[h] = V::mul(d, V::to_floats(scale_ints[h]));
        if constexpr (Packed::kSubMin) {
          const std::byte* mins = scales + kGroupRows * (Packed::kHalves + h) + row;
          min_ints[h] = V::load_u8(mins);
          min[h] = V::mul(dmin, V::to_floats(min_ints[h]));
        }
      }
    }
  }
};

// kColumns columns (from `column` of a tile of kWidth) × kLanes rows (from `row` of the group).
template <typename V, typename Format, int kWidth, int kColumns>
PONDER_INLINE void int8_columns(const MatmulTask& task, const std::byte* group, int row,
                                const std::byte* tile, int column,
                                typename V::Floats (&sums)[kColumns]) {
  using F = typename V::Floats;
  using I = typename V::Ints;
  using Packed = PackedBlocks<Format>;
  constexpr int kBits = kByteBits<Format>;
  constexpr int kOffset = kByteOffset<Format> - (kBits == 8 ? V::kOffset8 : 0);
  constexpr int kTileBytes = kWidth * (kSubBlock + static_cast<int>(sizeof(ActivationBlock)));
  constexpr int kQuads = 8 / Packed::kHalves;

  const std::byte* bits = group + Packed::scale_bytes(task.cols) + 4 * row;
  ScaleReader<V, Format> scales;
  scales.head = group + 2 * row;
  const std::byte* q = tile + column * kSubBlock;
  const std::byte* info =
      tile + kWidth * kSubBlock + column * static_cast<int>(sizeof(ActivationBlock));
  for (int64_t block = task.cols / Format::kBlockElements; block > 0; --block) {
    scales.block();
    for (int s = 0; s < Packed::kSubBlocks; ++s) {
      scales.sub_block(s, row);
      I w[8];
      unpack_quads<V, Format>(bits, w);
      // With few columns the weights come straight from memory; hardware prefetchers stop at pages.
      if constexpr (kColumns <= 4) {
#pragma GCC unroll 8
        for (int line = 0; line < Packed::kBitBytes / 64; ++line)
          __builtin_prefetch(bits + kPrefetchBytes + 64 * line);
      }
#pragma GCC unroll 8
      for (int j = 0; j < 8; ++j) w[j] = V::template prepare<kBits>(w[j]);
#pragma GCC unroll 16
      for (int c = 0; c < kColumns; ++c) {
        const auto* a = reinterpret_cast<const ActivationBlock*>(info) + c;
#pragma GCC unroll 2
        for (int h = 0; h < Packed::kHalves; ++h) {
          I init = V::zero_ints();
          if constexpr (kOffset > 0) {
            const int32_t* negative =
                Packed::kHalves == 1 ? &a->negative_sum : &a->negative_half_sums[h];
            init = V::template shift_left<log2_of(kOffset)>(V::broadcast_ints(negative));
          }
          const I dots = V::template dot_quads<kBits, kQuads>(init, w + kQuads * h,
                                                              q + kSubBlock * c + 4 * kQuads * h);
          const F factor = V::mul(scales.scale[h], V::set(a->scale));
          sums[c] = V::fma(V::to_floats(dots), factor, sums[c]);
          if constexpr (Format::kHasMin) {
            const float sum = Packed::kHalves == 1 ? a->sum : a->half_sums[h];
            sums[c] = V::fnma(scales.min[h], V::set(sum), sums[c]);
          }
        }
      }
      bits += Packed::kBitBytes;
      q += kTileBytes;
      info += kTileBytes;
    }
    scales.head += Packed::kBlockScaleBytes;
  }
}

// The same in f32: weights decoded exactly as the format's decode() does, activations not rounded.
template <typename V, typename Format, int kWidth, int kColumns>
PONDER_INLINE void float_block_columns(const MatmulTask& task, const std::byte* group, int row,
                                       const std::byte* tile, int column,
                                       typename V::Floats (&sums)[kColumns]) {
  using F = typename V::Floats;
  using I = typename V::Ints;
  using Packed = PackedBlocks<Format>;
  const std::byte* bits = group + Packed::scale_bytes(task.cols) + 4 * row;
  ScaleReader<V, Format> scales;
  scales.head = group + 2 * row;
  const float* x = reinterpret_cast<const float*>(tile) + column;
  const F offset = V::set(static_cast<float>(kByteOffset<Format>));
  for (int64_t block = task.cols / Format::kBlockElements; block > 0; --block) {
    scales.block();
    for (int s = 0; s < Packed::kSubBlocks; ++s) {
      scales.sub_block(s, row);
      I w[8];
      unpack_quads<V, Format>(bits, w);
#pragma GCC unroll 8
      for (int j = 0; j < 8; ++j) {
        const int h = j * Packed::kHalves / 8;
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
          const I byte = V::and_bits(w[j], V::set_ints(255));
          F value = V::mul(scales.scale[h], V::sub(V::to_floats(byte), offset));
          if constexpr (Format::kHasMin) value = V::sub(value, scales.min[h]);
          w[j] = V::template shift_right<8>(w[j]);
#pragma GCC unroll 16
          for (int c = 0; c < kColumns; ++c) sums[c] = V::fma(value, V::set(x[c]), sums[c]);
          x += kWidth;
        }
      }
      bits += Packed::kBitBytes;
    }
    scales.head += Packed::kBlockScaleBytes;
  }
}

// kLanes rows of element k of a plain format.
template <typename V, typename Format>
PONDER_INLINE typename V::Floats load_plain(const std::byte* p) {
  if constexpr (Format::kDType == DType::kF32) {
    return V::load(reinterpret_cast<const float*>(p));
  } else if constexpr (Format::kDType == DType::kF16) {
    return V::load_f16(p);
  } else if constexpr (Format::kDType == DType::kBF16) {
    return V::load_bf16(p);
  } else {
    static_assert(Format::kDType == DType::kF8E4M3);
    return V::load_f8e4m3(p);
  }
}

// Plain formats. With block scales (FP8), each 128 elements are summed apart and then scaled.
template <typename V, typename Format, int kWidth, int kColumns>
PONDER_INLINE void float_plain_columns(const MatmulTask& task, const std::byte* group, int row,
                                       const std::byte* tile, int column, const float* block_scale,
                                       typename V::Floats (&sums)[kColumns]) {
  using F = typename V::Floats;
  constexpr int kBytes = Format::kBlockBytes;
  const std::byte* w = group + row * kBytes;
  const float* x = reinterpret_cast<const float*>(tile) + column;
  if (block_scale == nullptr) {
    for (int64_t k = 0; k < task.cols; ++k) {
      const F value = load_plain<V, Format>(w + k * kGroupRows * kBytes);
#pragma GCC unroll 16
      for (int c = 0; c < kColumns; ++c)
        sums[c] = V::fma(value, V::set(x[k * kWidth + c]), sums[c]);
    }
    return;
  }
  for (int64_t begin = 0; begin < task.cols; begin += 128) {
    const int64_t end = begin + 128 < task.cols ? begin + 128 : task.cols;
    F part[kColumns];
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) part[c] = V::zero();
    for (int64_t k = begin; k < end; ++k) {
      const F value = load_plain<V, Format>(w + k * kGroupRows * kBytes);
#pragma GCC unroll 16
      for (int c = 0; c < kColumns; ++c)
        part[c] = V::fma(value, V::set(x[k * kWidth + c]), part[c]);
    }
    const F scale = V::set(block_scale[begin / 128]);
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) sums[c] = V::fma(part[c], scale, sums[c]);
  }
}

enum class MatmulForm { kInt8, kFloat };

// Columns [column, column + kColumns) of one tile, one group: multiplies and stores.
template <typename V, typename Format, MatmulForm kForm, int kWidth, int kColumns>
PONDER_INLINE void columns_of_group(const MatmulTask& task, int64_t group, const std::byte* tile,
                                    int64_t first, int column) {
  using F = typename V::Floats;
  const std::byte* weight = task.weight + group * task.group_bytes;
#pragma GCC unroll 2
  for (int row = 0; row < kGroupRows; row += V::kLanes) {
    F sums[kColumns];
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) sums[c] = V::zero();
    if constexpr (kForm == MatmulForm::kInt8) {
      int8_columns<V, Format, kWidth, kColumns>(task, weight, row, tile, column, sums);
    } else if constexpr (Format::kIsBlock) {
      float_block_columns<V, Format, kWidth, kColumns>(task, weight, row, tile, column, sums);
    } else {
      const int64_t scale_cols = (task.cols + 127) / 128;
      const float* scale = task.block_scale == nullptr
                               ? nullptr
                               : task.block_scale + group * kGroupRows / 128 * scale_cols;
      float_plain_columns<V, Format, kWidth, kColumns>(task, weight, row, tile, column, scale,
                                                       sums);
    }
    const int64_t begin = group * kGroupRows + row;
    const int64_t left = task.rows - begin;
    if (left <= 0) return;
    const int lanes = left < V::kLanes ? static_cast<int>(left) : V::kLanes;
    if (task.bias != nullptr) {
      const F bias = V::load_prefix(task.bias + begin, lanes);
#pragma GCC unroll 16
      for (int c = 0; c < kColumns; ++c) sums[c] = V::add(sums[c], bias);
    }
    float* y = task.y + (first + column) * task.y_stride + begin;
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) V::store_prefix(y + c * task.y_stride, sums[c], lanes);
  }
}

// One tile of kWidth columns, as many at a time as the registers hold.
template <typename V, typename Format, MatmulForm kForm, int kWidth>
void tile_of_group(const MatmulTask& task, int64_t group, const std::byte* tile, int64_t first) {
  constexpr int kColumns = kWidth < V::kColumns ? kWidth : V::kColumns;
  for (int column = 0; column < kWidth; column += kColumns)
    columns_of_group<V, Format, kForm, kWidth, kColumns>(task, group, tile, first, column);
}

template <typename V, typename Format, MatmulForm kForm>
void matmul_task(const MatmulTask& task) noexcept {
  const int64_t column_bytes =
      kForm == MatmulForm::kInt8 ? int8_column_bytes(task.cols) : float_column_bytes(task.cols);
  for (int64_t first = 0; first < task.count;) {
    const int width = tile_width(first, task.count);
    const std::byte* tile = task.activations + first * column_bytes;
    for (int64_t group = task.group_begin; group < task.group_end; ++group) {
      if (width == 16) tile_of_group<V, Format, kForm, 16>(task, group, tile, first);
      if (width == 8) tile_of_group<V, Format, kForm, 8>(task, group, tile, first);
      if (width == 4) tile_of_group<V, Format, kForm, 4>(task, group, tile, first);
      if (width == 2) tile_of_group<V, Format, kForm, 2>(task, group, tile, first);
      if (width == 1) tile_of_group<V, Format, kForm, 1>(task, group, tile, first);
    }
    first += width;
  }
}

// Rounds one column to 8 bits: for each 32 elements scale = max |x| / 127, q = round(x / scale).
template <typename V>
void pack_int8_column(const ActivationTask& task) noexcept {
  using F = typename V::Floats;
  constexpr int kVectors = kSubBlock / V::kLanes;
  const ColumnPlace place = column_place(task.column, task.count);
  const int64_t tile_bytes =
      place.width * static_cast<int64_t>(kSubBlock + sizeof(ActivationBlock));
  for (int64_t block = 0; block < task.cols / kSubBlock; ++block) {
    const float* x = task.x + block * kSubBlock;
    std::byte* tile = task.packed + place.first * int8_column_bytes(task.cols) + block * tile_bytes;
    auto* q = reinterpret_cast<int8_t*>(tile + place.column * kSubBlock);
    auto* info = reinterpret_cast<ActivationBlock*>(tile + place.width * kSubBlock) + place.column;
    F most = V::zero();
    F values[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      values[v] = V::load(x + v * V::kLanes);
      most = V::max(most, V::abs(values[v]));
    }
    const float largest = V::reduce_max(most);
    const float scale = largest / 127.0f;
    const F inverse = V::set(largest > 0.0f ? 127.0f / largest : 0.0f);
    typename V::Ints halves[2] = {V::zero_ints(), V::zero_ints()};
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const auto rounded = V::to_ints(V::mul(values[v], inverse));
      V::store_i8(q + v * V::kLanes, rounded);
      halves[v * V::kLanes / 16] = V::add_ints(halves[v * V::kLanes / 16], rounded);
    }
    const int32_t half_sums[2] = {V::reduce_add_ints(halves[0]), V::reduce_add_ints(halves[1])};
    info->scale = scale;
    info->negative_sum = -(half_sums[0] + half_sums[1]);
    info->negative_half_sums[0] = -half_sums[0];
    info->negative_half_sums[1] = -half_sums[1];
    info->sum = scale * static_cast<float>(half_sums[0] + half_sums[1]);
    info->half_sums[0] = scale * static_cast<float>(half_sums[0]);
    info->half_sums[1] = scale * static_cast<float>(half_sums[1]);
    info->unused = 0.0f;
  }
}

template <typename V>
void pack_float_column(const ActivationTask& task) noexcept {
  const ColumnPlace place = column_place(task.column, task.count);
  float* out = reinterpret_cast<float*>(task.packed) + place.first * task.cols + place.column;
  for (int64_t k = 0; k < task.cols; ++k) out[k * place.width] = task.x[k];
}

template <typename V>
int64_t packed_int8_column_bytes(int64_t cols) {
  return int8_column_bytes(cols);
}

template <typename V, typename Format>
PONDER_INLINE void add_int8_kernel(MatmulKernels& kernels) {
  if constexpr (Format::kIsBlock)
    kernels.int8[static_cast<int>(Format::kDType)] = matmul_task<V, Format, MatmulForm::kInt8>;
}

// The kernels of all formats for activations in f32, and those for activations of 8 bits.
template <typename V, typename... Format>
PONDER_INLINE void add_float_kernels(MatmulKernels& kernels, FormatList<Format...>) {
  ((kernels.floats[static_cast<int>(Format::kDType)] = matmul_task<V, Format, MatmulForm::kFloat>),
   ...);
  kernels.pack_floats = pack_float_column<V>;
}
template <typename V, typename... Format>
PONDER_INLINE void add_int8_kernels(MatmulKernels& kernels, FormatList<Format...>) {
  (add_int8_kernel<V, Format>(kernels), ...);
  kernels.pack_int8 = pack_int8_column<V>;
  kernels.int8_column_bytes = packed_int8_column_bytes<V>;
}

}  // namespace ponder
