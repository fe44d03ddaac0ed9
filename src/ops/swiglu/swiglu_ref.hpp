// The scalar truth of the gated activation.
#pragma once

#include <cmath>
#include <cstdint>

namespace ponder {

template <typename S>
S silu(S z) {
  using std::exp;
  return z / (S(1) + exp(-z));
}

// One row. gate, up, y: (I); y may be gate.
template <typename S>
void swiglu_row(const S* gate, const S* up, S* y, int64_t width) {
  for (int64_t i = 0; i < width; ++i) y[i] = silu(gate[i]) * up[i];
}

}  // namespace ponder
