#include "ops/matmul/matmul_forward.inl"
#include "simd/avx2.hpp"

namespace ponder::avx2 {

MatmulKernels matmul_kernels() {
  MatmulKernels kernels;
  add_float_kernels<Avx2>(kernels, Formats{});
  add_int8_kernels<Avx2>(kernels, Formats{});
  return kernels;
}

}  // namespace ponder::avx2
