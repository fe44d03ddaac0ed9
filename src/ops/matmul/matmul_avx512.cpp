#include "ops/matmul/matmul_forward.inl"
#include "ops/matmul/panel_forward.inl"
#include "simd/avx512.hpp"

namespace ponder::avx512 {

MatmulKernels matmul_kernels() {
  MatmulKernels kernels;
  add_float_kernels<Avx512>(kernels, Formats{});
  add_panel_kernels<Avx512Short>(kernels, Formats{});
  return kernels;
}

}  // namespace ponder::avx512
