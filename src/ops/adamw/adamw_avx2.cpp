#include "simd/avx2.hpp"

#include "ops/adamw/adamw_step.inl"

namespace ponder::avx2 {

void adamw(const AdamwArgs& args, const AdamwFactors& factors, int64_t begin,
           int64_t end) noexcept {
  adamw_elements<Avx2>(args, factors, begin, end);
}

}  // namespace ponder::avx2
