#include "simd/avx512.hpp"

#include "ops/adamw/adamw_step.inl"

namespace ponder::avx512 {

void adamw(const AdamwArgs& args, const AdamwFactors& factors, int64_t begin,
           int64_t end) noexcept {
  adamw_elements<Avx512>(args, factors, begin, end);
}

}  // namespace ponder::avx512
