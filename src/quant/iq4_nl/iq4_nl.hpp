// IQ4_NL: 32 nibbles that choose from a table of levels denser around zero, y = d·level(q).
#pragma once

#include "quant/format.hpp"

namespace ponder {

struct IQ4_NL : BlockFormat {
  static constexpr DType kDType = DType::kIQ4_NL;
  static constexpr int kBlockElements = 32;
  static constexpr int kBlockBytes = 18;
  static constexpr int kLowBits = 4;
  static constexpr bool kHasCodebook = true;
  static constexpr int8_t kCodebook[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                           1,    13,   25,  38,  53,  69,  89,  113};

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
