// Q2_K: 256 two-bit numbers; 16 sub-blocks of 16 with 4-bit scales s and minima m,
// y = (d·s)·q − dmin·m.
#pragma once

#include "quant/format.hpp"

namespace ponder {

struct Q2_K : BlockFormat {
  static constexpr DType kDType = DType::kQ2_K;
  static constexpr int kBlockElements = 256;
  static constexpr int kBlockBytes = 84;
  static constexpr int kLowBits = 2;
  static constexpr bool kHasSubScales = true;
  static constexpr int kScaleLow = 0;
  static constexpr int kScaleHigh = 15;
  static constexpr int kScaleElements = 16;
  static constexpr bool kHasMin = true;

  struct [[gnu::packed]] Block {
    uint8_t scales[16];  // s low, m high
    uint8_t qs[64];
    uint16_t d;     // f16
    uint16_t dmin;  // f16
  };
  static_assert(sizeof(Block) == kBlockBytes);

  static void decode(const Block& block, float* out);
  static void encode(const float* in, Block& block);
  static void to_ints(const Block& block, IntBlock& ints);
  static void from_ints(const IntBlock& ints, Block& block);
};

}  // namespace ponder
