// Random weights drawn as the bits of their blocks, without quantising anything. Private to this
// module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/dtype.hpp"

namespace ponder {

// Standard deviation of what is drawn.
inline constexpr double kSynthDeviation = 0.02;

// The elements of one tensor, with mean 0. Its bytes come in pieces that can be drawn in any order:
// each is a function of seed, tensor and its number.
class SynthWeights {
 public:
  SynthWeights(DType dtype, uint64_t seed, uint32_t tensor);

  // Bytes of every piece but the last one of a tensor, which may be shorter: whole blocks.
  size_t piece_bytes() const { return piece_bytes_; }
  void draw(uint32_t piece, std::span<std::byte> out) const;

 private:
  DType dtype_;
  uint64_t seed_;
  uint32_t tensor_;
  size_t piece_bytes_;
  float unit_;  // of a block's scale, or of a plain format's integer
};

}  // namespace ponder
