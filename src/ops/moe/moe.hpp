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
  int64_t tokens = 0;
  int chosen = 0;  // k
};

void moe(const Context& context, const MoeArgs& args);

}  // namespace ponder
