// One step of AdamW (Loshchilov & Hutter 2019; model-spec §10):
//   g ← g·clip, m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²,
//   θ ← θ(1 − η·λ) − η·m̂/(√v̂ + ε), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).
// The same bits on every instruction set. N elements.
#pragma once

#include <cstdint>
#include <span>

#include "device/context.hpp"

namespace ponder {

struct AdamwOptions {
  float learning_rate = 0.0f;  // η
  float beta1 = 0.9f, beta2 = 0.95f;
  float epsilon = 1e-8f;
  float weight_decay = 0.0f;  // λ: 0 for what does not decay
};

struct AdamwArgs {
  AdamwOptions options;
  float* values = nullptr;           // (N): θ, changed
  const float* gradients = nullptr;  // (N)
  float* m = nullptr;                // (N), changed; zeros before the first step
  float* v = nullptr;                // (N), likewise
  int64_t count = 0;
  int64_t step = 1;   // t ≥ 1
  float clip = 1.0f;  // what clip_factor() gives
};

void adamw(const Context& context, const AdamwArgs& args);

// Σ g² in f64, in chunks of a fixed size whose sums are added in ascending order.
double sum_of_squares(const Context& context, std::span<const float> gradients);

// min(1, limit / (norm + 1e-6)) of the global norm, the root of all sums of squares; 1 if limit ≤
// 0.
float clip_factor(double norm, double limit);

// What a step needs of its options, computed once.
struct AdamwFactors {
  float clip, beta1, one_minus_beta1, beta2, one_minus_beta2;
  float keep;                // 1 − η·λ
  float step_size;           // η / (1 − β₁ᵗ)
  float inverse_correction;  // 1 / √(1 − β₂ᵗ)
  float epsilon;
};

// Elements [begin, end).
using AdamwKernel = void (*)(const AdamwArgs&, const AdamwFactors&, int64_t begin,
                             int64_t end) noexcept;

// The kernels of each instruction set, for ops/kernel_table.cpp.
namespace ref {
void adamw(const AdamwArgs& args, const AdamwFactors& factors, int64_t begin, int64_t end) noexcept;
}
namespace avx2 {
void adamw(const AdamwArgs& args, const AdamwFactors& factors, int64_t begin, int64_t end) noexcept;
}
namespace avx512 {
void adamw(const AdamwArgs& args, const AdamwFactors& factors, int64_t begin, int64_t end) noexcept;
}

}  // namespace ponder
