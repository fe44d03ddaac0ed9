#include "simd/avx2.hpp"
#include "simd/math.hpp"
#include "testing/exp.hpp"

namespace ponder::avx2 {

void exp_all(const float* x, float* y, int64_t count) noexcept {
  for (int64_t i = 0; i < count; i += Avx2::kLanes)
    Avx2::store(y + i, exp<Avx2>(Avx2::load(x + i)));
}

}  // namespace ponder::avx2
