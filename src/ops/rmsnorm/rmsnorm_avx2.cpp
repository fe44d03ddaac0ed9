#include "simd/avx2.hpp"

#include "ops/rmsnorm/rmsnorm_backward.inl"
#include "ops/rmsnorm/rmsnorm_forward.inl"

namespace ponder::avx2 {

void rmsnorm(const RmsnormArgs& args, int64_t begin, int64_t end) noexcept {
  rmsnorm_rows<Avx2>(args, begin, end);
}

RmsnormBackwardKernels rmsnorm_backward_kernels() { return rmsnorm_backward_kernels_of<Avx2>(); }

}  // namespace ponder::avx2
