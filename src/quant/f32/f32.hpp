// f32: IEEE binary32 as it is.
#pragma once

#include <bit>

#include "base/macros.hpp"
#include "quant/format.hpp"
#include "quant/half.hpp"

namespace ponder {

struct F32 : PlainFormat {
  static constexpr DType kDType = DType::kF32;
  static constexpr int kBlockBytes = 4;

  struct [[gnu::packed]] Block {
    uint32_t bits;
  };
  static_assert(sizeof(Block) == kBlockBytes);

  static PONDER_INLINE void decode(const Block& block, float* out) {
    out[0] = std::bit_cast<float>(block.bits);
  }
  static PONDER_INLINE void encode(const float* in, Block& block) {
    block.bits = std::bit_cast<uint32_t>(in[0]);
  }
};

}  // namespace ponder
