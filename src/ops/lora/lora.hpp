// The product with a low-rank adapter: y += s·(x·Aᵀ)·Bᵀ (Hu et al. 2021). T rows, K inputs, N
// outputs, r rank. A row does not depend on the others.
#pragma once

#include <cstdint>

#include "device/context.hpp"
#include "ops/matmul/weight.hpp"

namespace ponder {

struct LoraArgs {
  const float* x = nullptr;            // (T, K), row t at x + t·x_stride
  const Weight* a = nullptr;           // (r, K), f32
  const Weight* b = nullptr;           // (N, r), f32
  float scale = 1.0f;                  // s
  float* y = nullptr;                  // (T, N), row t at y + t·y_stride; added to
  float* hidden = nullptr;             // (T, r) out: x·Aᵀ, for lora_backward; or nullptr
  int64_t rows = 0;                    // T
  int64_t x_stride = 0, y_stride = 0;  // elements
};

void lora(const Context& context, const LoraArgs& args);

// dh = s·dy·B, dB += (s·dy)ᵀ·h, dA += dhᵀ·x, dx += dh·A.
struct LoraBackwardArgs {
  const float* x = nullptr;       // (T, K)
  const float* hidden = nullptr;  // (T, r)
  const float* dy = nullptr;      // (T, N)
  const Weight* a = nullptr;
  const Weight* b = nullptr;
  float scale = 1.0f;
  float* dx = nullptr;  // (T, K), added to; or nullptr
  float* da = nullptr;  // in the layout of Weight::values(), added to
  float* db = nullptr;  // likewise
  int64_t rows = 0;
  int64_t x_stride = 0, dy_stride = 0, dx_stride = 0;  // elements
};

void lora_backward(const Context& context, const LoraBackwardArgs& args);

}  // namespace ponder
