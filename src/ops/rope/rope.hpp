// Rotary position embedding, in place (model-spec §4; Su et al. 2021).
// T tokens, h heads, d rotated elements of a head.
#pragma once

#include <cstdint>

#include "device/context.hpp"

namespace ponder {

inline constexpr int64_t kMaxRopeDims = 1024;

struct RopeArgs {
  float* x = nullptr;                  // (T, h, d) through the strides
  const int32_t* positions = nullptr;  // (T)
  const float* inv_freq = nullptr;     // (d/2): f_j
  int64_t tokens = 0, heads = 0;
  int64_t dims = 0;          // d, even, at most kMaxRopeDims
  int64_t token_stride = 0;  // elements from one token's first head to the next token's
  int64_t head_stride = 0;   // elements from one head to the next
  float amplitude = 1.0f;    // a, on cos and sin
  bool interleaved = false;  // pairs (2j, 2j+1) if true, else (j, j + d/2)
  bool backward = false;     // x is a gradient: turned by −θ, times a
};

// Tokens [begin, end). Angles: θ = position·f_j in f32, cos and sin of libm (the same on all ISAs).
using RopeKernel = void (*)(const RopeArgs&, int64_t begin, int64_t end) noexcept;

void rope(const Context& context, const RopeArgs& args);

// a·cos θ and a·sin θ of one token. cosines, sines: (d/2).
void rope_angles(const RopeArgs& args, int64_t token, float* cosines, float* sines) noexcept;

// The kernels of each instruction set, for ops/kernel_table.cpp.
namespace ref {
void rope(const RopeArgs& args, int64_t begin, int64_t end) noexcept;
}
namespace avx2 {
void rope(const RopeArgs& args, int64_t begin, int64_t end) noexcept;
}
namespace avx512 {
void rope(const RopeArgs& args, int64_t begin, int64_t end) noexcept;
}

}  // namespace ponder
