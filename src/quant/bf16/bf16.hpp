// bf16: the upper half of an f32.
#pragma once

#include "base/macros.hpp"
#include "quant/format.hpp"
#include "quant/half.hpp"

namespace ponder {

struct BF16 : PlainFormat {
  static constexpr DType kDType = DType::kBF16;
  static constexpr int kBlockBytes = 2;

  struct [[gnu::packed]] Block {
    uint16_t bits;
  };
  static_assert(sizeof(Block) == kBlockBytes);

  static PONDER_INLINE void decode(const Block& block, float* out) {
    out[0] = bf16_to_f32(block.bits);
  }
  static PONDER_INLINE void encode(const float* in, Block& block) {
    block.bits = f32_to_bf16(in[0]);
  }
};

}  // namespace ponder
