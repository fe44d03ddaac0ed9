// Gradients of the gated activation over a vector type V.
#include "ops/swiglu/swiglu.hpp"
#include "simd/math.hpp"

namespace ponder {

template <typename V>
struct SwigluGradient {
  typename V::Floats gate, up;

  PONDER_INLINE SwigluGradient(typename V::Floats g, typename V::Floats u, typename V::Floats dy) {
    const auto one = V::set(1.0f);
    const auto sigmoid = V::div(one, V::add(one, exp<V>(V::sub(V::zero(), g))));
    const auto silu = V::mul(g, sigmoid);
    up = V::mul(dy, silu);
    // σ(1 + g(1 − σ)) = σ + silu(g)·(1 − σ)
    gate = V::mul(V::mul(dy, u), V::fma(silu, V::sub(one, sigmoid), sigmoid));
  }
};

template <typename V>
PONDER_INLINE void swiglu_backward_rows(const SwigluBackwardArgs& args, int64_t begin,
                                        int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const float* gate = args.gate + r * args.stride;  // (I)
    const float* up = args.up + r * args.stride;      // (I)
    const float* dy = args.dy + r * args.dy_stride;   // (I)
    float* dgate = args.dgate + r * args.out_stride;  // (I)
    float* dup = args.dup + r * args.out_stride;      // (I)
    int64_t i = 0;
    for (; i + V::kLanes <= args.width; i += V::kLanes) {
      const SwigluGradient<V> d(V::load(gate + i), V::load(up + i), V::load(dy + i));
      V::store(dgate + i, d.gate);
      V::store(dup + i, d.up);
    }
    if (const int rest = static_cast<int>(args.width - i); rest > 0) {
      const SwigluGradient<V> d(V::load_prefix(gate + i, rest), V::load_prefix(up + i, rest),
                                V::load_prefix(dy + i, rest));
      V::store_prefix(dgate + i, d.gate, rest);
      V::store_prefix(dup + i, d.up, rest);
    }
  }
}

}  // namespace ponder
