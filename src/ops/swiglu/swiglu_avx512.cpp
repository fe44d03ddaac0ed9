#include "simd/avx512.hpp"

#include "ops/swiglu/swiglu_backward.inl"
#include "ops/swiglu/swiglu_forward.inl"

namespace ponder::avx512 {

void swiglu(const SwigluArgs& args, int64_t begin, int64_t end) noexcept {
  swiglu_rows<Avx512>(args, begin, end);
}

void swiglu_backward(const SwigluBackwardArgs& args, int64_t begin, int64_t end) noexcept {
  swiglu_backward_rows<Avx512>(args, begin, end);
}

}  // namespace ponder::avx512
