#include "simd/avx512.hpp"

#include "ops/add/add_forward.inl"

namespace ponder::avx512 {

void add(const AddArgs& args, int64_t begin, int64_t end) noexcept {
  add_elements<Avx512>(args, begin, end);
}

}  // namespace ponder::avx512
