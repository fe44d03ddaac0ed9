// The two gradients of a product, shared by matmul_backward, lora_backward and moe_backward: many
// of them in one parallel pass. T rows, K inputs, N outputs.
#pragma once

#include <cstdint>
#include <span>

#include "device/context.hpp"
#include "ops/matmul/product.hpp"
#include "ops/matmul/weight.hpp"

namespace ponder {

// dx = dy·W, or dx + dy·W.
struct InputGradient {
  const Weight* weight = nullptr;  // any format
  int64_t matrix = 0;              // index in the weight's stack
  Columns dy;                      // (T, N); not packed
  float* dx = nullptr;             // (T, K), row t at dx + t·dx_stride
  int64_t dx_stride = 0;
  bool accumulate = false;
};
void backward_inputs(const Context& context, std::span<const InputGradient> gradients);

// dw += dyᵀ·x, in chunks of kGradientChunk rows.
struct WeightGradient {
  const Weight* weight = nullptr;  // f32
  int64_t matrix = 0;
  Columns dy;           // (T, N)
  Columns x;            // (T, K)
  float* dw = nullptr;  // of the whole stack, laid out as Weight::values()
};
void backward_weights(const Context& context, std::span<const WeightGradient> gradients);

inline constexpr int64_t kGradientChunk =
    kTurnedDepth;  // rows whose sum is added to a gradient at once

}  // namespace ponder
