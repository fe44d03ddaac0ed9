// Q6_K: 256 six-bit numbers; 16 sub-blocks of 16 with signed 8-bit scales s, y = (d·s)·(q − 32).
#pragma once

#include "quant/format.hpp"

namespace ponder {

struct Q6_K : BlockFormat {
  static constexpr DType kDType = DType::kQ6_K;
  static constexpr int kBlockElements = 256;
  static constexpr int kBlockBytes = 210;
  static constexpr int kLowBits = 4;
  static constexpr int kHighBits = 2;
  static constexpr int kOffset = 32;
  static constexpr bool kHasSubScales = true;
  static constexpr int kScaleLow = -128;
  static constexpr int kScaleHigh = 127;
  static constexpr int kScaleElements = 16;

  struct [[gnu::packed]] Block {
    uint8_t ql[128];  // bits 0–3
    uint8_t qh[64];   // bits 4–5
    int8_t scales[16];
    uint16_t d;  // f16
  };
  static_assert(sizeof(Block) == kBlockBytes);

  static void decode(const Block& block, float* out);
  static void encode(const float* in, Block& block);
  static void to_ints(const Block& block, IntBlock& ints);
  static void from_ints(const IntBlock& ints, Block& block);
};

}  // namespace ponder
