#include "ops/matmul/gemm.inl"
#include "simd/avx512.hpp"

namespace ponder::avx512 {

GemmKernels gemm_kernels() { return gemm_kernels_of<Avx512>(); }

}  // namespace ponder::avx512
