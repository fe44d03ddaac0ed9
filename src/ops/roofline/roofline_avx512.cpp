#include "simd/avx512.hpp"

#include "ops/roofline/roofline_forward.inl"

namespace ponder::avx512 {

static uint32_t read(const void* data, int64_t bytes) noexcept {
  return read_all<Avx512>(data, bytes);
}
static float multiply_int8(const int8_t* weights, const int8_t* activations,
                           int64_t rounds) noexcept {
  return multiply_int8_all<Avx512Short>(weights, activations, rounds);
}
static float multiply_floats(const float* weights, const float* activations,
                             int64_t rounds) noexcept {
  return multiply_floats_all<Avx512>(weights, activations, rounds);
}

RooflineKernels roofline_kernels() {
  return {.read = read,
          .multiply_int8 = multiply_int8,
          .int8_products = kInt8Products<Avx512Short>,
          .multiply_floats = multiply_floats,
          .float_products = kFloatProducts<Avx512>};
}

}  // namespace ponder::avx512
