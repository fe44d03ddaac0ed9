// Q5_K: 256 five-bit numbers; 8 sub-blocks of 32 with 6-bit scales s and minima m,
// y = (d·s)·q − dmin·m.
#pragma once

#include "quant/format.hpp"

namespace ponder {

struct Q5_K : BlockFormat {
  static constexpr DType kDType = DType::kQ5_K;
  static constexpr int kBlockElements = 256;
  static constexpr int kBlockBytes = 176;
  static constexpr int kLowBits = 4;
  static constexpr int kHighBits = 1;
  static constexpr bool kHasSubScales = true;
  static constexpr int kScaleLow = 0;
  static constexpr int kScaleHigh = 63;
  static constexpr bool kHasMin = true;

  struct [[gnu::packed]] Block {
    uint16_t d;          // f16
    uint16_t dmin;       // f16
    uint8_t scales[12];  // see unpack_scales_6bit
    uint8_t qh[32];      // bit 4
    uint8_t qs[128];     // bits 0–3
  };
  static_assert(sizeof(Block) == kBlockBytes);

  static void decode(const Block& block, float* out);
  static void encode(const float* in, Block& block);
  static void to_ints(const Block& block, IntBlock& ints);
  static void from_ints(const IntBlock& ints, Block& block);
};

}  // namespace ponder
