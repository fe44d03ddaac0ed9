#include "simd/avx512.hpp"
#include "simd/math.hpp"
#include "testing/exp.hpp"

namespace ponder::avx512 {

void exp_all(const float* x, float* y, int64_t count) noexcept {
  for (int64_t i = 0; i < count; i += Avx512::kLanes)
    Avx512::store(y + i, exp<Avx512>(Avx512::load(x + i)));
}

}  // namespace ponder::avx512
