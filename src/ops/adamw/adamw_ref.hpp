// The scalar truth of a step of AdamW.
#pragma once

#include <cmath>
#include <cstdint>

#include "ops/adamw/adamw.hpp"

namespace ponder {

// One element.
template <typename S>
void adamw_element(const AdamwFactors& f, S gradient, S& value, S& m, S& v) {
  using std::sqrt;
  const S g = gradient * S(f.clip);
  m = S(f.beta1) * m + S(f.one_minus_beta1) * g;
  v = S(f.beta2) * v + S(f.one_minus_beta2) * (g * g);
  const S denominator = sqrt(v) * S(f.inverse_correction) + S(f.epsilon);
  value = value * S(f.keep) - S(f.step_size) * m / denominator;
}

}  // namespace ponder
