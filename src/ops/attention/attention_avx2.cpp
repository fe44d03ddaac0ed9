#include "simd/avx2.hpp"

#include "ops/attention/attention_forward.inl"

namespace ponder::avx2 {

AttentionKernels attention_kernels() { return attention_kernels_of<Avx2>(); }

}  // namespace ponder::avx2
