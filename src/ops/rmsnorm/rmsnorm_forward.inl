// RMS normalisation over a vector type V. A row's sum of squares runs in one order: four vectors of
// partial sums, joined in pairs, then the lanes.
#pragma once

#include "ops/rmsnorm/rmsnorm.hpp"

namespace ponder {

template <typename V>
PONDER_INLINE float sum_of_squares(const float* x, int64_t width) {  // x: (H)
  typename V::Floats sums[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
  int64_t i = 0;
  for (; i + 4 * V::kLanes <= width; i += 4 * V::kLanes) {
    for (int part = 0; part < 4; ++part) {
      const auto v = V::load(x + i + part * V::kLanes);
      sums[part] = V::fma(v, v, sums[part]);
    }
  }
  for (; i + V::kLanes <= width; i += V::kLanes) {
    const auto v = V::load(x + i);
    sums[0] = V::fma(v, v, sums[0]);
  }
  if (i < width) {
    const auto v = V::load_prefix(x + i, static_cast<int>(width - i));
    sums[1] = V::fma(v, v, sums[1]);
  }
  return V::reduce_add(V::add(V::add(sums[0], sums[1]), V::add(sums[2], sums[3])));
}

template <typename V>
PONDER_INLINE void rmsnorm_rows(const RmsnormArgs& args, int64_t begin, int64_t end) {
  const int64_t width = args.width;
  for (int64_t r = begin; r < end; ++r) {
    const float* x = args.x + r * args.x_stride;  // (H)
    float* y = args.y + r * args.y_stride;        // (H)
    const float mean = sum_of_squares<V>(x, width) / static_cast<float>(width);
    const auto scale = V::set(1.0f / __builtin_sqrtf(mean + args.epsilon));
    int64_t i = 0;
    for (; i + V::kLanes <= width; i += V::kLanes)
      V::store(y + i, V::mul(V::load(args.g + i), V::mul(V::load(x + i), scale)));
    if (const int rest = static_cast<int>(width - i); rest > 0) {
      const auto v = V::mul(V::load_prefix(x + i, rest), scale);
      V::store_prefix(y + i, V::mul(V::load_prefix(args.g + i, rest), v), rest);
    }
  }
}

}  // namespace ponder
