// Gradients of a product y = x·Wᵀ + b: dx = dy·W, dW += dyᵀ·x, db += Σ_t dy. The sum of each
// element runs in one order: over N for dx, over T in chunks of 128 rows for dW and db, all
// ascending, whatever the threads are. A row of dx does not depend on the other rows. T rows, K
// inputs, N outputs, S matrices of a stack.
#pragma once

#include <cstdint>

#include "device/context.hpp"
#include "ops/matmul/weight.hpp"

namespace ponder {

// Rows of a stack: row t of matrix s at data + t·stride + s·stack_stride (elements).
struct RowsView {
  const float* data = nullptr;
  int64_t stride = 0, stack_stride = 0;
};
struct MutableRowsView {
  float* data = nullptr;
  int64_t stride = 0, stack_stride = 0;
};

struct MatmulBackwardArgs {
  const Weight* weight = nullptr;  // (S, N, K); dx: any format; dw: f32, for its shape
  RowsView x = {};                 // (T, S, K); for dw
  RowsView dy = {};                // (T, S, N)
  MutableRowsView dx = {};         // (T, S, K) or nullptr; must not be dy
  float* dw = nullptr;             // in the layout of Weight::values(), added to; or nullptr
  float* dbias = nullptr;          // (N), added to, only of one matrix; or nullptr
  int64_t rows = 0;                // T
  bool accumulate = false;         // dx is added to
};

void matmul_backward(const Context& context, const MatmulBackwardArgs& args);

}  // namespace ponder
