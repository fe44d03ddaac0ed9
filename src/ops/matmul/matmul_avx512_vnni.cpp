#include "ops/matmul/panel_forward.inl"
#include "simd/avx512_vnni.hpp"

namespace ponder::avx512_vnni {

MatmulKernels matmul_kernels() {
  MatmulKernels kernels = avx512::matmul_kernels();
  add_panel_kernels<Avx512Vnni>(kernels, Formats{});
  return kernels;
}

}  // namespace ponder::avx512_vnni
