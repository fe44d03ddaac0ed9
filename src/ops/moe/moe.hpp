// The routed experts of a mixture: y[t] = Σ_i w[t, i] · E_{e[t, i]}(x[t]), slots i in ascending
// order, E(x) = down(silu(gate x) ⊙ up x) (model-spec §5). The shared expert is an ordinary
// feed-forward. T tokens, H width, k experts a token, E experts, I expert width.
#pragma once

#include <cstdint>

#include "device/context.hpp"
#include "ops/matmul/weight.hpp"

namespace ponder {

struct MoeArgs {
  const float* x = nullptr;          // (T, H) contiguous
  const int32_t* experts = nullptr;  // (T, k), each in [0, E)
  const float* weights = nullptr;    // (T, k)
  const Weight* gate = nullptr;      // (E, I, H)
  const Weight* up = nullptr;        // (E, I, H)
  const Weight* down = nullptr;      // (E, H, I)
  float* y = nullptr;                // (T, H) contiguous; overwritten
  float* saved = nullptr;            // (T·k, 2·I) out, for moe_backward; or nullptr
  int64_t tokens = 0;
  int chosen = 0;  // k
};

void moe(const Context& context, const MoeArgs& args);

// Gradients. What a token gets does not depend on the others; an expert's weights sum over its
// tokens in their order, in chunks of 128.
struct MoeBackwardArgs {
  const MoeArgs* forward = nullptr;  // as it ran (y is not read); `saved`: what it wrote, or
                                     // nullptr to compute that again
  const float* dy = nullptr;         // (T, H) contiguous
  float* dx = nullptr;               // (T, H) contiguous; added to
  float* dweights = nullptr;         // (T, k); overwritten
  float* dgate = nullptr;            // in the layout of Weight::values(), added to; all three or
  float* dup = nullptr;              // none: the experts are frozen, and of any format
  float* ddown = nullptr;
};

void moe_backward(const Context& context, const MoeBackwardArgs& args);

}  // namespace ponder
