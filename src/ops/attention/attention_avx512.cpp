#include "simd/avx512.hpp"

#include "ops/attention/attention_backward.inl"

namespace ponder::avx512 {

AttentionKernels attention_kernels() {
  AttentionKernels kernels = attention_kernels_of<Avx512>();
  kernels.backward = [](const AttentionBackwardArgs& args,
                        const AttentionBackwardTask& task) noexcept {
    attention_backward_head<Avx512>(args, task);
  };
  return kernels;
}

}  // namespace ponder::avx512
