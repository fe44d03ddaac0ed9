// A step of AdamW over a vector type V, without fused multiply-adds: the bits of the reference.
#include "ops/adamw/adamw.hpp"

namespace ponder {

template <typename V>
struct AdamwVectors {
  typename V::Floats gradient, value, m, v;

  PONDER_INLINE void step(const AdamwFactors& f) {
    const auto g = V::mul(gradient, V::set(f.clip));
    m = V::add(V::mul(V::set(f.beta1), m), V::mul(V::set(f.one_minus_beta1), g));
    v = V::add(V::mul(V::set(f.beta2), v), V::mul(V::set(f.one_minus_beta2), V::mul(g, g)));
    const auto denominator =
        V::add(V::mul(V::sqrt(v), V::set(f.inverse_correction)), V::set(f.epsilon));
    const auto change = V::div(V::mul(V::set(f.step_size), m), denominator);
    value = V::sub(V::mul(value, V::set(f.keep)), change);
  }
};

template <typename V>
PONDER_INLINE void adamw_elements(const AdamwArgs& args, const AdamwFactors& factors, int64_t begin,
                                  int64_t end) {
  int64_t i = begin;
  for (; i + V::kLanes <= end; i += V::kLanes) {
    AdamwVectors<V> x{V::load(args.gradients + i), V::load(args.values + i), V::load(args.m + i),
                      V::load(args.v + i)};
    x.step(factors);
    V::store(args.values + i, x.value);
    V::store(args.m + i, x.m);
    V::store(args.v + i, x.v);
  }
  if (const int rest = static_cast<int>(end - i); rest > 0) {
    AdamwVectors<V> x{V::load_prefix(args.gradients + i, rest),
                      V::load_prefix(args.values + i, rest), V::load_prefix(args.m + i, rest),
                      V::load_prefix(args.v + i, rest)};
    x.step(factors);
    V::store_prefix(args.values + i, x.value, rest);
    V::store_prefix(args.m + i, x.m, rest);
    V::store_prefix(args.v + i, x.v, rest);
  }
}

}  // namespace ponder
