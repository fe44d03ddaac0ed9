// The contract of a weight format. A format is an empty struct, one per folder of src/quant/:
//   kDType            its name in core/dtype.hpp
//   kIsBlock          blocks of integers with scales (below), or plain numbers (f32, f16 …)
//   kBlockElements, kBlockBytes
//   Block             the bytes of one block as they lie in a file: packed, alignment 1
//   decode(block, out)   out: (kBlockElements), f32. The scalar truth: every kernel follows it.
//   encode(in, block)    in: (kBlockElements). Any input, NaN and infinity included, gives a valid
//                        block without undefined behaviour; only finite input gives a useful one.
// A block format also has an integer view, from which kernels repack weights:
//   to_ints(block, ints), from_ints(ints, block): exact, each the inverse of the other
//   kLowBits + kHighBits   bits of q; kLowBits is 2, 4 or 8, kHighBits is 0, 1 or 2
//   kHasCodebook      level(q) = kCodebook[q], otherwise level(q) = q − kOffset
//   kHasSubScales     one scale per kScaleElements elements; otherwise the block has d alone
//   kScaleLow, kScaleHigh  least and greatest scale (minima: from 0 to kScaleHigh)
//   kHasMin           subtracts dmin·min; with kMinIsAdded it adds dmin instead (Q4_1, Q5_1)
// With s = e / kScaleElements the value of element e is, in f32 and in exactly this order,
//   (d·scale[s])·level(q[e]) − dmin·min[s].
// Headers of formats hold declarations and constants only, so a kernel built for a wider
// instruction set may include them.
#pragma once

#include <cstdint>

#include "core/dtype.hpp"

namespace ponder {

inline constexpr int kMaxBlockElements = 256;

// The integers of one block; entries past those the format has are not written.
struct alignas(64) IntBlock {
  uint8_t q[kMaxBlockElements];  // (kBlockElements) unsigned, below 2^(kLowBits + kHighBits)
  uint16_t d;                    // f16 bits
  uint16_t dmin;                 // f16 bits; 0 without kHasMin
  int8_t scale[16];              // (kBlockElements / kScaleElements); 1 without kHasSubScales
  uint8_t min[16];               // same shape; 0 without kHasMin, 1 with kMinIsAdded
};

// What a block format inherits and overrides where it differs: one scale per block, no minimum.
struct BlockFormat {
  static constexpr bool kIsBlock = true;
  static constexpr int kHighBits = 0;
  static constexpr int kOffset = 0;
  static constexpr bool kHasCodebook = false;
  static constexpr bool kHasSubScales = false;
  static constexpr int kScaleLow = 1;
  static constexpr int kScaleHigh = 1;
  static constexpr int kScaleElements = 32;
  static constexpr bool kHasMin = false;
  static constexpr bool kMinIsAdded = false;
};

// What a plain format inherits: every block is one number.
struct PlainFormat {
  static constexpr bool kIsBlock = false;
  static constexpr int kBlockElements = 1;
};

}  // namespace ponder
