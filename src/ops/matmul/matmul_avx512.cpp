#include "ops/matmul/matmul_forward.inl"
#include "simd/avx512.hpp"

namespace ponder::avx512 {

MatmulKernels matmul_kernels() { return all_matmul_kernels<Avx512>(Formats{}); }

}  // namespace ponder::avx512
