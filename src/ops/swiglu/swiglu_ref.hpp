// The scalar truth of the gated activation and its gradients.
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

// Gradients of one row. All: (I); the outputs may be any of the inputs.
template <typename S>
void swiglu_backward_row(const S* gate, const S* up, const S* dy, S* dgate, S* dup, int64_t width) {
  using std::exp;
  for (int64_t i = 0; i < width; ++i) {
    const S sigmoid = S(1) / (S(1) + exp(-gate[i])), z = gate[i];
    const S dg = dy[i] * up[i] * sigmoid * (S(1) + z * (S(1) - sigmoid));
    const S du = dy[i] * z * sigmoid;
    dgate[i] = dg;
    dup[i] = du;
  }
}

}  // namespace ponder
