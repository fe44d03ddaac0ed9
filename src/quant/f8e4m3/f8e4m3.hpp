// f8e4m3fn: OCP FP8 without infinities. Checkpoints hold a scale per 128 × 128 block in a tensor of
// its own; this is the bare number.
#pragma once

#include "base/macros.hpp"
#include "quant/format.hpp"
#include "quant/half.hpp"

namespace ponder {

struct F8E4M3 : PlainFormat {
  static constexpr DType kDType = DType::kF8E4M3;
  static constexpr int kBlockBytes = 1;

  struct [[gnu::packed]] Block {
    uint8_t bits;
  };
  static_assert(sizeof(Block) == kBlockBytes);

  static PONDER_INLINE void decode(const Block& block, float* out) {
    out[0] = f8e4m3_to_f32(block.bits);
  }
  static PONDER_INLINE void encode(const float* in, Block& block) {
    block.bits = f32_to_f8e4m3(in[0]);
  }
};

}  // namespace ponder
