#include "ops/matmul/matmul_forward.inl"
#include "simd/avx2.hpp"

namespace ponder::avx2 {

MatmulKernels matmul_kernels() { return all_matmul_kernels<Avx2>(Formats{}); }

}  // namespace ponder::avx2
