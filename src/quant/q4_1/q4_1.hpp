// Q4_1: 32 nibbles, a scale and a minimum, y = d·q + m.
#pragma once

#include "quant/format.hpp"

namespace ponder {

struct Q4_1 : BlockFormat {
  static constexpr DType kDType = DType::kQ4_1;
  static constexpr int kBlockElements = 32;
  static constexpr int kBlockBytes = 20;
  static constexpr int kLowBits = 4;
  static constexpr bool kHasMin = true;
  static constexpr bool kMinIsAdded = true;

  struct [[gnu::packed]] Block {
    uint16_t d;  // f16
    uint16_t m;  // f16
    uint8_t qs[16];
  };
  static_assert(sizeof(Block) == kBlockBytes);

  static void decode(const Block& block, float* out);
  static void encode(const float* in, Block& block);
  static void to_ints(const Block& block, IntBlock& ints);
  static void from_ints(const IntBlock& ints, Block& block);
};

}  // namespace ponder
