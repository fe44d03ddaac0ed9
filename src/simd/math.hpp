// Transcendental functions over a vector type V. Include only from ISA files.
#pragma once

#include "base/macros.hpp"

namespace ponder {

// e^x, relative error below 2 ulp for x in [−87.3, 88.0]; smaller x give 0, larger the value at 88,
// NaN gives NaN (min and max return their second operand if one is NaN).
// Cody-Waite reduction to |r| ≤ ln 2 / 2, Taylor polynomial of degree 7 (remainder < 5e-9·e^r).
template <typename V>
PONDER_INLINE typename V::Floats exp(typename V::Floats x) {
  using F = typename V::Floats;
  const F low = V::set(-87.33654f);
  const F clamped = V::min(V::set(88.0f), V::max(low, x));
  const F n = V::round(V::mul(clamped, V::set(1.44269504088896341f)));
  F r = V::fnma(n, V::set(0.693359375f), clamped);  // ln 2 in two parts
  r = V::fnma(n, V::set(-2.12194440e-4f), r);
  F p = V::set(1.0f / 5040.0f);
  p = V::fma(p, r, V::set(1.0f / 720.0f));
  p = V::fma(p, r, V::set(1.0f / 120.0f));
  p = V::fma(p, r, V::set(1.0f / 24.0f));
  p = V::fma(p, r, V::set(1.0f / 6.0f));
  p = V::fma(p, r, V::set(0.5f));
  p = V::fma(p, r, V::set(1.0f));
  p = V::fma(p, r, V::set(1.0f));
  const auto exponent = V::template shift_left<23>(V::add_ints(V::to_ints(n), V::set_ints(127)));
  return V::zero_below(x, low, V::mul(p, V::as_floats(exponent)));
}

}  // namespace ponder
