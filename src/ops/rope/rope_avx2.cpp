#include "simd/avx2.hpp"

#include "ops/rope/rope_forward.inl"

namespace ponder::avx2 {

void rope(const RopeArgs& args, int64_t begin, int64_t end) noexcept {
  rope_tokens<Avx2>(args, begin, end);
}

}  // namespace ponder::avx2
