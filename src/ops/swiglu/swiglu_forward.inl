// The gated activation over a vector type V.
#include "ops/swiglu/swiglu.hpp"
#include "simd/math.hpp"

namespace ponder {

template <typename V>
PONDER_INLINE typename V::Floats silu_times(typename V::Floats gate, typename V::Floats up) {
  const auto denominator = V::add(V::set(1.0f), exp<V>(V::sub(V::zero(), gate)));
  return V::mul(V::div(gate, denominator), up);
}

template <typename V>
PONDER_INLINE void swiglu_rows(const SwigluArgs& args, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const float* gate = args.gate + r * args.stride;  // (I)
    const float* up = args.up + r * args.stride;      // (I)
    float* y = args.y + r * args.y_stride;            // (I)
    int64_t i = 0;
    for (; i + V::kLanes <= args.width; i += V::kLanes)
      V::store(y + i, silu_times<V>(V::load(gate + i), V::load(up + i)));
    if (const int rest = static_cast<int>(args.width - i); rest > 0) {
      const auto v = silu_times<V>(V::load_prefix(gate + i, rest), V::load_prefix(up + i, rest));
      V::store_prefix(y + i, v, rest);
    }
  }
}

}  // namespace ponder
