#include "ops/roofline/roofline_forward.inl"
#include "simd/avx512_vnni.hpp"

namespace ponder::avx512_vnni {

static float multiply_int8(const int8_t* weights, const int8_t* activations,
                           int64_t rounds) noexcept {
  return multiply_int8_all<Avx512Vnni>(weights, activations, rounds);
}

RooflineKernels roofline_kernels() {
  RooflineKernels kernels = avx512::roofline_kernels();
  kernels.multiply_int8 = multiply_int8;
  kernels.int8_products = kInt8Products<Avx512Vnni>;
  return kernels;
}

}  // namespace ponder::avx512_vnni
