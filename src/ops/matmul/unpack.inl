// Weights of block formats as a kernel reads them from a packed group (packed.hpp): integers and
// scales, over a vector type V.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/macros.hpp"
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

// How far ahead of its use a weight is fetched: about 200 ns at 30 GB/s and core. Measured: 8 KiB
// is 5 % better where memory is fast (80 GB/s for two threads) and 6 % worse where it is slow (50).
inline constexpr int kPrefetchBytes = 6144;

// The bytes of the sub-scales and minima of a block in a packed group, where they lie or unfolded.
template <typename V, typename Format>
class SubScaleBytes {
 public:
  using Packed = PackedBlocks<Format>;
  static constexpr int kCount = Packed::kSubBlocks * Packed::kSubScaleBytes;

  PONDER_INLINE explicit SubScaleBytes(const std::byte* head) : folded_(head + Packed::kHeadBytes) {
    if constexpr (Packed::kScaleBits < 8) unfold<0>();
  }
  PONDER_INLINE const std::byte* data() const { return Packed::kScaleBits < 8 ? bytes_ : folded_; }

 private:
  // Bytes from kAt on, a vector at a time.
  template <int kAt>
  PONDER_INLINE void unfold() {
    constexpr int kHalf = kCount / 2, kQuarter = kCount / 4;
    auto x = V::load_ints(folded_ + kAt % kHalf);
    x = V::and_bits(V::template shift_right<kAt / kHalf * 4>(x), V::set_bytes(15));
    if constexpr (Packed::kScaleBits == 6) {
      constexpr int kBit = kAt / kQuarter * 2;
      auto high = V::load_ints(folded_ + kHalf + kAt % kQuarter);
      if constexpr (kBit < 4) {
        high = V::template shift_left<4 - kBit>(high);
      } else {
        high = V::template shift_right<kBit - 4>(high);
      }
      x = V::or_bits(x, V::and_bits(high, V::set_bytes(48)));
    }
    V::store_quarters(bytes_ + kAt, x);
    if constexpr (kAt + 64 < kCount) unfold<kAt + 64>();
  }

  const std::byte* folded_;
  alignas(64) std::byte bytes_[Packed::kScaleBits < 8 ? kCount : 64];
};

// The scales of a block in a packed group.
template <typename V, typename Format>
struct ScaleReader {
  using F = typename V::Floats;
  using Packed = PackedBlocks<Format>;
  static constexpr int kHalves = Packed::kHalves;
  const std::byte* subs;
  F d, dmin;

  PONDER_INLINE ScaleReader(const std::byte* head, const SubScaleBytes<V, Format>& bytes)
      : subs(bytes.data()), d(V::load_f16(head)) {
    if constexpr (Format::kHasMin) dmin = V::load_f16(head + 2 * kGroupRows);
  }
  // Where the integer scales and minima of 16 rows lie: of half `h` of sub-block `s`.
  PONDER_INLINE const std::byte* scales(int s, int h) const {
    return subs + s * Packed::kSubScaleBytes + h * kGroupRows;
  }
  PONDER_INLINE const std::byte* minima(int s, int h) const { return scales(s, kHalves + h); }

  // d·scale.
  PONDER_INLINE F scale(int s, int h) const {
    if constexpr (Format::kHasSubScales) return V::mul(d, V::to_floats(V::load_i8(scales(s, h))));
    return d;
  }
  // dmin·min; a minimum that is added has a minus.
  PONDER_INLINE F min(int s, int h) const {
    if constexpr (Format::kMinIsAdded) return V::sub(V::zero(), dmin);
    return V::mul(dmin, V::to_floats(V::load_u8(minima(s, h))));
  }
};

// Elements [begin, end) of K of a packed group, 16 rows at a time: consume(values), decoded exactly
// as the format's decode() does. begin and end: multiples of the block.
template <typename V, typename Format, typename Consume>
PONDER_INLINE void for_each_line(const std::byte* group, int64_t cols, int64_t begin, int64_t end,
                                 Consume&& consume) {
  using F = typename V::Floats;
  using Packed = PackedBlocks<Format>;
  const std::byte* head = group + begin / Format::kBlockElements * Packed::kBlockScaleBytes;
  const std::byte* bits = group + Packed::scale_bytes(cols) + begin / kSubBlock * Packed::kBitBytes;
  const F offset = V::set(static_cast<float>(kByteOffset<Format>));
  for (int64_t block = (end - begin) / Format::kBlockElements; block > 0; --block) {
    const SubScaleBytes<V, Format> bytes(head);
    const ScaleReader<V, Format> scales(head, bytes);
    for (int s = 0; s < Packed::kSubBlocks; ++s) {
      typename V::Ints w[8];
      unpack_quads<V, Format>(bits, w);
#pragma GCC unroll 8
      for (int j = 0; j < 8; ++j) {
        const int h = j * Packed::kHalves / 8;
        const F scale = scales.scale(s, h);
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
          const auto byte = V::and_bits(w[j], V::set_ints(255));
          F value = V::mul(scale, V::sub(V::to_floats(byte), offset));
          if constexpr (Format::kHasMin) value = V::sub(value, scales.min(s, h));
          w[j] = V::template shift_right<8>(w[j]);
          consume(value);
        }
      }
      bits += Packed::kBitBytes;
    }
    head += Packed::kBlockScaleBytes;
  }
}

// 16 rows of element k of a plain format, as multiples of kPlainUnit.
template <typename Format>
inline constexpr float kPlainUnit = Format::kDType == DType::kF8E4M3 ? 256.0f : 1.0f;
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

}  // namespace ponder
