// RMS normalisation: y = g ⊙ x · (mean(x²) + ε)^-½ (model-spec §1; Zhang & Sennrich 2019, eq. 4).
// Rows R (tokens, or tokens × heads for qk-norm), H: elements of a row.
#pragma once

#include <cstdint>

#include "device/context.hpp"

namespace ponder {

struct RmsnormArgs {
  const float* x = nullptr;  // (R, H), row r at x + r·x_stride
  const float* g = nullptr;  // (H)
  float* y = nullptr;        // (R, H), row r at y + r·y_stride; may be x
  int64_t rows = 0;
  int64_t width = 0;     // H
  int64_t x_stride = 0;  // elements
  int64_t y_stride = 0;
  float epsilon = 1e-6f;
};

// Rows [begin, end) of the result.
using RmsnormKernel = void (*)(const RmsnormArgs&, int64_t begin, int64_t end) noexcept;

void rmsnorm(const Context& context, const RmsnormArgs& args);

// The kernels of each instruction set, for ops/kernel_table.cpp.
namespace ref {
void rmsnorm(const RmsnormArgs& args, int64_t begin, int64_t end) noexcept;
}
namespace avx2 {
void rmsnorm(const RmsnormArgs& args, int64_t begin, int64_t end) noexcept;
}
namespace avx512 {
void rmsnorm(const RmsnormArgs& args, int64_t begin, int64_t end) noexcept;
}

}  // namespace ponder
