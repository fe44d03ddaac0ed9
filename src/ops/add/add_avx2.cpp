#include "simd/avx2.hpp"

#include "ops/add/add_forward.inl"

namespace ponder::avx2 {

void add(const AddArgs& args, int64_t begin, int64_t end) noexcept {
  add_elements<Avx2>(args, begin, end);
}

}  // namespace ponder::avx2
