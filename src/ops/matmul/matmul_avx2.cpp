#include "ops/matmul/matmul_forward.inl"
#include "ops/matmul/panel_forward.inl"
#include "simd/wide_avx2.hpp"

namespace ponder::avx2 {

MatmulKernels matmul_kernels() {
  MatmulKernels kernels;
  add_float_kernels<WideAvx2>(kernels, Formats{});
  add_panel_kernels<WideAvx2>(kernels, Formats{});
  return kernels;
}

}  // namespace ponder::avx2
