// IQ4_XS: 256 nibbles with the levels of IQ4_NL; 8 sub-blocks of 32 with signed 6-bit scales s,
// y = (d·s)·level(q).
#pragma once

#include "quant/format.hpp"
#include "quant/iq4_nl/iq4_nl.hpp"

namespace ponder {

struct IQ4_XS : BlockFormat {
  static constexpr DType kDType = DType::kIQ4_XS;
  static constexpr int kBlockElements = 256;
  static constexpr int kBlockBytes = 136;
  static constexpr int kLowBits = 4;
  static constexpr bool kHasCodebook = true;
  static constexpr const auto& kCodebook = IQ4_NL::kCodebook;
  static constexpr bool kHasSubScales = true;
  static constexpr int kScaleLow = -32;
  static constexpr int kScaleHigh = 31;

  struct [[gnu::packed]] Block {
    uint16_t d;           // f16
    uint8_t scales_h[2];  // s + 32: the top two bits
    uint8_t scales_l[4];  // and the low nibbles
    uint8_t qs[128];
  };
  static_assert(sizeof(Block) == kBlockBytes);

  static void decode(const Block& block, float* out);
  static void encode(const float* in, Block& block);
  static void to_ints(const Block& block, IntBlock& ints);
  static void from_ints(const IntBlock& ints, Block& block);
};

}  // namespace ponder
