#include "simd/avx512.hpp"

#include "ops/xent/xent_backward.inl"

namespace ponder::avx512 {

void scaled_softmax(const SoftmaxTask& task) noexcept { scaled_softmax_row_of<Avx512>(task); }

}  // namespace ponder::avx512
