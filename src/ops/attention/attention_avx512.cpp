#include "simd/avx512.hpp"

#include "ops/attention/attention_forward.inl"

namespace ponder::avx512 {

AttentionKernels attention_kernels() { return attention_kernels_of<Avx512>(); }

}  // namespace ponder::avx512
