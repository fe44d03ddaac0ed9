#include "ops/matmul/pack.hpp"

#include <algorithm>
#include <cstring>

#include "ops/matmul/packed.hpp"
#include "quant/formats.hpp"

namespace ponder {
namespace {

// The kBits bits of each byte that start at bit kFrom, of 32 elements of one row, to its lanes of
// kBits vectors of 64 bytes: each takes the bits of 8 / kBits quads.
template <int kBits, int kFrom>
void fold_row(const uint8_t* q /* (32) */, std::byte* out) {
  constexpr uint32_t kMask = ((1u << kBits) - 1u) * 0x01010101u;
  uint32_t quads[8], lanes[kBits] = {};
  std::memcpy(quads, q, sizeof(quads));
#pragma GCC unroll 8
  for (int i = 0; i < 8 / kBits; ++i) {
#pragma GCC unroll 8
    for (int p = 0; p < kBits; ++p)
      lanes[p] |= (quads[p + kBits * i] >> kFrom & kMask) << (kBits * i);
  }
#pragma GCC unroll 8
  for (int p = 0; p < kBits; ++p) std::memcpy(out + 64 * p, &lanes[p], sizeof(uint32_t));
}

template <typename Format>
class BlockPacker {
 public:
  using Packed = PackedBlocks<Format>;

  // `rows`: up to 16 rows of cols elements; the others stay zero.
  static void pack(const std::byte* const* rows, int count, int64_t cols, std::byte* out) {
    std::byte* scales = out;
    std::byte* bits = out + Packed::scale_bytes(cols);
    IntBlock ints[kGroupRows];
    std::memset(static_cast<void*>(ints), 0, sizeof(ints));
    for (int64_t b = 0; b < cols / Format::kBlockElements; ++b) {
      for (int r = 0; r < count; ++r) {
        typename Format::Block block;
        std::memcpy(&block, rows[r] + b * Format::kBlockBytes, sizeof(block));
        Format::to_ints(block, ints[r]);
      }
      pack_scales(ints, scales);
      for (int s = 0; s < Packed::kSubBlocks; ++s) {
        pack_bits(ints, s, bits);
        bits += Packed::kBitBytes;
      }
      scales += Packed::kBlockScaleBytes;
    }
  }

 private:
  static void pack_scales(const IntBlock* ints, std::byte* out) {
    for (int r = 0; r < kGroupRows; ++r) {
      std::memcpy(out + 2 * r, &ints[r].d, 2);
      if constexpr (Format::kHasMin) std::memcpy(out + 2 * (kGroupRows + r), &ints[r].dmin, 2);
    }
    if constexpr (Format::kHasSubScales) {
      uint8_t subs[Packed::kSubBlocks * Packed::kSubScaleBytes];
      for (int i = 0; i < Packed::kSubBlocks * Packed::kHalves; ++i) {
        uint8_t* sub =
            subs + i / Packed::kHalves * Packed::kSubScaleBytes + i % Packed::kHalves * kGroupRows;
        for (int r = 0; r < kGroupRows; ++r) {
          sub[r] = static_cast<uint8_t>(ints[r].scale[i]);
          if constexpr (Packed::kSubMin) sub[Packed::kHalves * kGroupRows + r] = ints[r].min[i];
        }
      }
      fold_scales(subs, out + Packed::kHeadBytes);
    }
  }

  static void fold_scales(const uint8_t* subs, std::byte* out) {
    constexpr int kCount = Packed::kSubBlocks * Packed::kSubScaleBytes;
    if constexpr (Packed::kScaleBits == 8) {
      std::memcpy(out, subs, kCount);
      return;
    }
    constexpr int kHalf = kCount / 2, kQuarter = kCount / 4;
    for (int i = 0; i < kHalf; ++i)
      out[i] = static_cast<std::byte>((subs[i] & 15) | (subs[i + kHalf] & 15) << 4);
    for (int i = 0; Packed::kScaleBits == 6 && i < kQuarter; ++i) {
      int bits = 0;
      for (int j = 0; j < 4; ++j) bits |= (subs[i + kQuarter * j] >> 4) << (2 * j);
      out[kHalf + i] = static_cast<std::byte>(bits);
    }
  }

  static void pack_bits(const IntBlock* ints, int sub_block, std::byte* out) {
    for (int r = 0; r < kGroupRows; ++r) {
      const uint8_t* q = ints[r].q + kSubBlock * sub_block;
      fold_row<Format::kLowBits, 0>(q, out + 4 * r);
      if constexpr (Format::kHighBits > 0)
        fold_row<Format::kHighBits, Format::kLowBits>(q, out + Packed::kLowBytes + 4 * r);
    }
  }
};

template <int kBytes>
void pack_plain(const std::byte* const* rows, int count, int64_t cols, std::byte* out) {
  for (int r = 0; r < count; ++r) {
    for (int64_t k = 0; k < cols; ++k)
      std::memcpy(out + (k * kGroupRows + r) * kBytes, rows[r] + k * kBytes, kBytes);
  }
  for (int r = count; r < kGroupRows; ++r) {
    for (int64_t k = 0; k < cols; ++k) std::memset(out + (k * kGroupRows + r) * kBytes, 0, kBytes);
  }
}

}  // namespace

int64_t packed_group_bytes(DType dtype, int64_t cols) {
  return visit_format(dtype,
                      [&](auto format) { return packed_group_bytes<decltype(format)>(cols); });
}

void pack_group(const TensorView& matrix, int64_t group, std::byte* out) {
  const int64_t cols = matrix.shape[1];
  const int64_t first = group * kGroupRows;
  const int count = static_cast<int>(std::min<int64_t>(kGroupRows, matrix.shape[0] - first));
  const auto stride = static_cast<int64_t>(*row_bytes(matrix.dtype, static_cast<uint64_t>(cols)));
  const std::byte* rows[kGroupRows];
  for (int r = 0; r < count; ++r) rows[r] = matrix.bytes.data() + (first + r) * stride;
  visit_format(matrix.dtype, [&](auto format) {
    using Format = decltype(format);
    if constexpr (Format::kIsBlock) {
      BlockPacker<Format>::pack(rows, count, cols, out);
    } else {
      pack_plain<Format::kBlockBytes>(rows, count, cols, out);
    }
  });
}

}  // namespace ponder
