#include "ops/roofline/roofline_forward.inl"
#include "simd/wide_avx2.hpp"

namespace ponder::avx2 {

static uint32_t read(const void* data, int64_t bytes) noexcept {
  return read_all<Avx2>(data, bytes);
}
static float multiply_int8(const int8_t* weights, const int8_t* activations,
                           int64_t rounds) noexcept {
  return multiply_int8_all<Avx2>(weights, activations, rounds);
}
static float multiply_floats(const float* weights, const float* activations,
                             int64_t rounds) noexcept {
  return multiply_floats_all<WideAvx2>(weights, activations, rounds);
}

RooflineKernels roofline_kernels() {
  return {.read = read,
          .multiply_int8 = multiply_int8,
          .int8_products = kInt8Products<Avx2>,
          .multiply_floats = multiply_floats,
          .float_products = kFloatProducts<WideAvx2>};
}

}  // namespace ponder::avx2
