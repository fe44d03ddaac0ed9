#include "simd/avx512.hpp"

#include "ops/rope/rope_forward.inl"

namespace ponder::avx512 {

void rope(const RopeArgs& args, int64_t begin, int64_t end) noexcept {
  rope_tokens<Avx512>(args, begin, end);
}

}  // namespace ponder::avx512
