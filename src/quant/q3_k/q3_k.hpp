// Q3_K: 256 three-bit numbers; 16 sub-blocks of 16 with signed 6-bit scales s, y = (d·s)·(q − 4).
#pragma once

#include "quant/format.hpp"

namespace ponder {

struct Q3_K : BlockFormat {
  static constexpr DType kDType = DType::kQ3_K;
  static constexpr int kBlockElements = 256;
  static constexpr int kBlockBytes = 110;
  static constexpr int kLowBits = 2;
  static constexpr int kHighBits = 1;
  static constexpr int kOffset = 4;
  static constexpr bool kHasSubScales = true;
  static constexpr int kScaleLow = -32;
  static constexpr int kScaleHigh = 31;
  static constexpr int kScaleElements = 16;

  struct [[gnu::packed]] Block {
    uint8_t hmask[32];   // bit 2
    uint8_t qs[64];      // bits 0–1
    uint8_t scales[12];  // s + 32: nibbles, then the top two bits
    uint16_t d;          // f16
  };
  static_assert(sizeof(Block) == kBlockBytes);

  static void decode(const Block& block, float* out);
  static void encode(const float* in, Block& block);
  static void to_ints(const Block& block, IntBlock& ints);
  static void from_ints(const IntBlock& ints, Block& block);
};

}  // namespace ponder
