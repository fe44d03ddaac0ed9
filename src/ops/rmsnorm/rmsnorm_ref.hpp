// The scalar truth of RMS normalisation and its gradient.
#pragma once

#include <cmath>
#include <cstdint>

namespace ponder {

// r of one row.
template <typename S>
S rmsnorm_scale(const S* x, int64_t width, S epsilon) {
  using std::sqrt;
  S squares = 0;
  for (int64_t i = 0; i < width; ++i) squares += x[i] * x[i];
  return S(1) / sqrt(squares / static_cast<S>(width) + epsilon);
}

// One row. x, g, y: (H); y may be x.
template <typename S>
void rmsnorm_row(const S* x, const S* g, S* y, int64_t width, S epsilon) {
  const S scale = rmsnorm_scale(x, width, epsilon);
  for (int64_t i = 0; i < width; ++i) y[i] = g[i] * (x[i] * scale);
}

// Gradient of one row; dx is overwritten, or added to. x, g, dy, dx: (H); dx may be dy.
template <typename S>
void rmsnorm_backward_row(const S* x, const S* g, const S* dy, S* dx, int64_t width, S scale,
                          bool accumulate) {
  S product = 0;
  for (int64_t i = 0; i < width; ++i) product += g[i] * dy[i] * x[i];
  const S pull = scale * scale * scale * product / static_cast<S>(width);
  for (int64_t i = 0; i < width; ++i) {
    const S d = g[i] * dy[i] * scale - x[i] * pull;
    dx[i] = accumulate ? dx[i] + d : d;
  }
}

}  // namespace ponder
