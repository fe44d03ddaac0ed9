// Q8_0: 32 signed bytes and one scale, y = d·q.
#pragma once

#include "quant/format.hpp"

namespace ponder {

struct Q8_0 : BlockFormat {
  static constexpr DType kDType = DType::kQ8_0;
  static constexpr int kBlockElements = 32;
  static constexpr int kBlockBytes = 34;
  static constexpr int kLowBits = 8;
  static constexpr int kOffset = 128;

  struct [[gnu::packed]] Block {
    uint16_t d;  // f16
    int8_t qs[32];
  };
  static_assert(sizeof(Block) == kBlockBytes);

  static void decode(const Block& block, float* out);
  static void encode(const float* in, Block& block);
  static void to_ints(const Block& block, IntBlock& ints);
  static void from_ints(const IntBlock& ints, Block& block);
};

}  // namespace ponder
