#include "simd/avx2.hpp"

#include "ops/xent/xent_backward.inl"

namespace ponder::avx2 {

void scaled_softmax(const SoftmaxTask& task) noexcept { scaled_softmax_row_of<Avx2>(task); }

}  // namespace ponder::avx2
