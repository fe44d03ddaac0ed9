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

// Gradients. With r = (mean(x²) + ε)^-½ and t = g ⊙ dy: dx = r·t − x·r³·⟨t, x⟩/H, dg = Σ_rows
// dy ⊙ x·r, the sum in chunks of kRmsnormChunk rows.
struct RmsnormBackwardArgs {
  const float* x = nullptr;   // (R, H), row r at x + r·x_stride
  const float* g = nullptr;   // (H)
  const float* dy = nullptr;  // (R, H)
  float* dx = nullptr;        // (R, H); may be dy
  float* dg = nullptr;        // (H), added to; or nullptr
  int64_t rows = 0;
  int64_t width = 0;                                   // H
  int64_t x_stride = 0, dy_stride = 0, dx_stride = 0;  // elements
  float epsilon = 1e-6f;
  bool accumulate = false;  // dx is added to
};

inline constexpr int64_t kRmsnormChunk = 128;

void rmsnorm_backward(const Context& context, const RmsnormBackwardArgs& args);

// scales: (R): r of each row, written by `rows` and read by `columns`.
struct RmsnormBackwardKernels {
  void (*scales)(const RmsnormBackwardArgs&, float* scales, int64_t begin, int64_t end) noexcept;
  void (*rows)(const RmsnormBackwardArgs&, const float* scales, int64_t begin,
               int64_t end) noexcept;
  // Elements [begin, end) of dg.
  void (*columns)(const RmsnormBackwardArgs&, const float* scales, int64_t begin,
                  int64_t end) noexcept;
};

// The kernels of each instruction set, for ops/kernel_table.cpp.
namespace ref {
void rmsnorm(const RmsnormArgs& args, int64_t begin, int64_t end) noexcept;
RmsnormBackwardKernels rmsnorm_backward_kernels();
}  // namespace ref
namespace avx2 {
void rmsnorm(const RmsnormArgs& args, int64_t begin, int64_t end) noexcept;
RmsnormBackwardKernels rmsnorm_backward_kernels();
}  // namespace avx2
namespace avx512 {
void rmsnorm(const RmsnormArgs& args, int64_t begin, int64_t end) noexcept;
RmsnormBackwardKernels rmsnorm_backward_kernels();
}  // namespace avx512

}  // namespace ponder
