// The scalar truth of RMS normalisation.
#pragma once

#include <cmath>
#include <cstdint>

namespace ponder {

// One row. x, g, y: (H); y may be x.
template <typename S>
void rmsnorm_row(const S* x, const S* g, S* y, int64_t width, S epsilon) {
  using std::sqrt;
  S squares = 0;
  for (int64_t i = 0; i < width; ++i) squares += x[i] * x[i];
  const S scale = S(1) / sqrt(squares / static_cast<S>(width) + epsilon);
  for (int64_t i = 0; i < width; ++i) y[i] = g[i] * (x[i] * scale);
}

}  // namespace ponder
