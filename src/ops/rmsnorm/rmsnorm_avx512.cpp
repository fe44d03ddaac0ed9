#include "simd/avx512.hpp"

#include "ops/rmsnorm/rmsnorm_backward.inl"
#include "ops/rmsnorm/rmsnorm_forward.inl"

namespace ponder::avx512 {

void rmsnorm(const RmsnormArgs& args, int64_t begin, int64_t end) noexcept {
  rmsnorm_rows<Avx512>(args, begin, end);
}

RmsnormBackwardKernels rmsnorm_backward_kernels() { return rmsnorm_backward_kernels_of<Avx512>(); }

}  // namespace ponder::avx512
