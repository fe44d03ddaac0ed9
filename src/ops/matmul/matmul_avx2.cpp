#include "ops/matmul/matmul_forward.inl"
#include "ops/matmul/panel_forward.inl"
#include "simd/avx2_wide.hpp"

namespace ponder::avx2 {

MatmulKernels matmul_kernels() {
  MatmulKernels kernels;
  add_float_kernels<Avx2Wide>(kernels, Formats{});
  add_panel_kernels<Avx2Wide>(kernels, Formats{});
  return kernels;
}

}  // namespace ponder::avx2
