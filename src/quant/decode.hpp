// From the integers of a block to its values: one loop for every block format.
#pragma once

#include "quant/format.hpp"
#include "quant/half.hpp"

namespace ponder {

template <typename Format>
float format_level(uint8_t q) {
  if constexpr (Format::kHasCodebook) {
    return static_cast<float>(Format::kCodebook[q]);
  } else {
    return static_cast<float>(static_cast<int>(q) - Format::kOffset);
  }
}

// The formula of format.hpp. out: (kBlockElements).
template <typename Format>
void decode_ints(const IntBlock& ints, float* out) {
  const float d = f16_to_f32(ints.d);
  const float dmin = f16_to_f32(ints.dmin);
  for (int s = 0; s * Format::kScaleElements < Format::kBlockElements; ++s) {
    float scale = d;
    if constexpr (Format::kHasSubScales) scale *= static_cast<float>(ints.scale[s]);
    float offset = 0;
    if constexpr (Format::kHasMin) {
      offset = Format::kMinIsAdded ? -dmin : dmin * static_cast<float>(ints.min[s]);
    }
    for (int e = s * Format::kScaleElements; e < (s + 1) * Format::kScaleElements; ++e) {
      const float product = scale * format_level<Format>(ints.q[e]);
      if constexpr (Format::kHasMin) {
        out[e] = product - offset;
      } else {
        out[e] = product;
      }
    }
  }
}

template <typename Format>
void decode_block(const typename Format::Block& block, float* out) {
  IntBlock ints;
  Format::to_ints(block, ints);
  decode_ints<Format>(ints, out);
}

}  // namespace ponder
