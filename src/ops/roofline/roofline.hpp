// What this machine can do at most with one instruction set: bytes read from memory and
// multiply-adds on what lies in the nearest cache (Williams, Waterman & Patterson 2009).
#pragma once

#include <cstdint>

#include "device/context.hpp"

namespace ponder {

// Inputs small enough for the nearest cache of any machine.
inline constexpr int64_t kRooflineWeights = 8192;  // bytes
inline constexpr int64_t kRooflineActivations =
    512;  // bytes of the 8-bit form, floats of the other

struct RooflineKernels {
  // The sum of all 32-bit words, so that every byte is needed. bytes: a multiple of 1024.
  uint32_t (*read)(const void* data, int64_t bytes) noexcept = nullptr;
  // `rounds` times as many multiply-adds as the constant beside says, arranged as in the product
  // kernels. The result depends on all of them.
  float (*multiply_int8)(const int8_t* weights, const int8_t* activations,
                         int64_t rounds) noexcept = nullptr;
  int64_t int8_products = 0;  // of one round
  float (*multiply_floats)(const float* weights, const float* activations,
                           int64_t rounds) noexcept = nullptr;
  int64_t float_products = 0;
};

struct Roofline {
  double bytes_per_second = 0;          // read, by all threads together
  double int8_products_per_second = 0;  // multiply-adds
  double float_products_per_second = 0;
};

// Takes about a second, and as much memory for it as a buffer far beyond the caches needs.
// The best of several runs counts: a limit is what can be reached.
Roofline measure_roofline(const Context& context);

// The kernels of each instruction set, for ops/kernel_table.cpp.
namespace ref {
RooflineKernels roofline_kernels();
}
namespace avx2 {
RooflineKernels roofline_kernels();
}
namespace avx512 {
RooflineKernels roofline_kernels();
}
namespace avx512_vnni {
RooflineKernels roofline_kernels();
}

}  // namespace ponder
