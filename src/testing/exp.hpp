// The exponential of simd/math.hpp as a function of each instruction set, for its test.
#pragma once

#include <cstdint>

// x, y: (count), count a multiple of 16.
namespace ponder::avx2 {
void exp_all(const float* x, float* y, int64_t count) noexcept;
}
namespace ponder::avx512 {
void exp_all(const float* x, float* y, int64_t count) noexcept;
}
