// The gated activation of the feed-forward layers: y = silu(g) ⊙ u, silu(z) = z·σ(z)
// (model-spec §1; Shazeer 2020).
#pragma once

#include <cstdint>

#include "device/context.hpp"

namespace ponder {

struct SwigluArgs {
  const float* gate = nullptr;  // (R, I), row r at gate + r·stride
  const float* up = nullptr;    // (R, I), same stride
  float* y = nullptr;           // (R, I), row r at y + r·y_stride; may be gate
  int64_t rows = 0, width = 0;
  int64_t stride = 0, y_stride = 0;  // elements
};

// Rows [begin, end).
using SwigluKernel = void (*)(const SwigluArgs&, int64_t begin, int64_t end) noexcept;

void swiglu(const Context& context, const SwigluArgs& args);

// Gradients: dg = dy ⊙ u ⊙ σ(g)(1 + g(1 − σ(g))), du = dy ⊙ silu(g).
struct SwigluBackwardArgs {
  const float* gate = nullptr;  // (R, I), row r at gate + r·stride
  const float* up = nullptr;    // (R, I), same stride
  const float* dy = nullptr;    // (R, I), row r at dy + r·dy_stride
  float* dgate = nullptr;       // (R, I), row r at dgate + r·out_stride; may be any of the above
  float* dup = nullptr;         // (R, I), likewise
  int64_t rows = 0, width = 0;
  int64_t stride = 0, dy_stride = 0, out_stride = 0;  // elements
};

using SwigluBackwardKernel = void (*)(const SwigluBackwardArgs&, int64_t begin,
                                      int64_t end) noexcept;

void swiglu_backward(const Context& context, const SwigluBackwardArgs& args);

// The kernels of each instruction set, for ops/kernel_table.cpp.
namespace ref {
void swiglu(const SwigluArgs& args, int64_t begin, int64_t end) noexcept;
void swiglu_backward(const SwigluBackwardArgs& args, int64_t begin, int64_t end) noexcept;
}  // namespace ref
namespace avx2 {
void swiglu(const SwigluArgs& args, int64_t begin, int64_t end) noexcept;
void swiglu_backward(const SwigluBackwardArgs& args, int64_t begin, int64_t end) noexcept;
}  // namespace avx2
namespace avx512 {
void swiglu(const SwigluArgs& args, int64_t begin, int64_t end) noexcept;
void swiglu_backward(const SwigluBackwardArgs& args, int64_t begin, int64_t end) noexcept;
}  // namespace avx512

}  // namespace ponder
