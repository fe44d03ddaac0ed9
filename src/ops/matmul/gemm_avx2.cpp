#include "ops/matmul/gemm.inl"
#include "simd/wide_avx2.hpp"

namespace ponder::avx2 {

GemmKernels gemm_kernels() { return gemm_kernels_of<WideAvx2>(); }

}  // namespace ponder::avx2
