#include "simd/avx2.hpp"

#include "ops/attention/attention_backward.inl"

namespace ponder::avx2 {

AttentionKernels attention_kernels() {
  AttentionKernels kernels = attention_kernels_of<Avx2>();
  kernels.backward = [](const AttentionBackwardArgs& args,
                        const AttentionBackwardTask& task) noexcept {
    attention_backward_head<Avx2>(args, task);
  };
  return kernels;
}

}  // namespace ponder::avx2
