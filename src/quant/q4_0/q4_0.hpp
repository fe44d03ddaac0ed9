// Q4_0: 32 nibbles and one scale, y = d·(q − 8).
#pragma once

#include "quant/format.hpp"

namespace ponder {

struct Q4_0 : BlockFormat {
  static constexpr DType kDType = DType::kQ4_0;
  static constexpr int kBlockElements = 32;
  static constexpr int kBlockBytes = 18;
  static constexpr int kLowBits = 4;
  static constexpr int kOffset = 8;

  struct [[gnu::packed]] Block {
    uint16_t d;  // f16
    uint8_t qs[16];
  };
  static_assert(sizeof(Block) == kBlockBytes);

  static void decode(const Block& block, float* out);
  static void encode(const float* in, Block& block);
  static void to_ints(const Block& block, IntBlock& ints);
  static void from_ints(const IntBlock& ints, Block& block);
};

}  // namespace ponder
