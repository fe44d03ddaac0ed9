// Products of activations with weights: y = x·Wᵀ (+ bias). The sum over K of each output element
// runs in one fixed order, whatever T, the threads or the other targets are. T rows of x, K inputs,
// N outputs.
#pragma once

#include <cstdint>
#include <span>

#include "device/context.hpp"
#include "ops/matmul/weight.hpp"

namespace ponder {

// One product of a group that shares its input.
struct MatmulTarget {
  const Weight* weight = nullptr;  // (N, K)
  float* y = nullptr;              // (T, N), row t at y + t·y_stride
  int64_t y_stride = 0;            // elements
  const float* bias = nullptr;     // (N) or nullptr
};

struct MatmulArgs {
  const float* x = nullptr;  // (T, K), row t at x + t·x_stride
  int64_t rows = 0;          // T
  int64_t x_stride = 0;      // elements
  std::span<const MatmulTarget> targets;
};

// All targets in one pass: x is rounded once, the threads share the rows of all weights.
void matmul(const Context& context, const MatmulArgs& args);

// One weight.
void matmul(const Context& context, const float* x, int64_t rows, const MatmulTarget& target);

// y = silu(Wg·x) ⊙ Wu·x: the bits of matmul() and swiglu(). With weights that round their input,
// what lies between does not leave the caches.
struct GatedMatmulArgs {
  const float* x = nullptr;      // (T, K) contiguous
  int64_t rows = 0;              // T
  const Weight* gate = nullptr;  // (N, K)
  const Weight* up = nullptr;    // (N, K)
  float* y = nullptr;            // (T, N) contiguous
};
void matmul_gated(const Context& context, const GatedMatmulArgs& args);

// The product of a stack with an input per matrix: y[t, s] = W[s]·x[t, s] (heads of MLA).
struct StackedMatmulArgs {
  const Weight* weight = nullptr;  // (S, N, K)
  const float* x = nullptr;        // (T, S, K): element at x + t·x_stride + s·x_stack_stride
  float* y = nullptr;              // (T, S, N): likewise
  int64_t rows = 0;                // T
  int64_t x_stride = 0, x_stack_stride = 0;  // elements
  int64_t y_stride = 0, y_stack_stride = 0;
};
void matmul_stacked(const Context& context, const StackedMatmulArgs& args);

}  // namespace ponder
