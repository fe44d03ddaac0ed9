// The scalar truth of rotary position embedding.
#pragma once

#include <cmath>
#include <cstdint>

namespace ponder {

// a·cos θ and a·sin θ, θ = position·f_j rounded to f32 as the models were trained.
// inv_freq, cosines, sines: (pairs).
template <typename S>
void rope_angles(int32_t position, const float* inv_freq, int64_t pairs, S amplitude, S* cosines,
                 S* sines) {
  using std::cos, std::sin;
  for (int64_t j = 0; j < pairs; ++j) {
    const S angle = static_cast<float>(position) * inv_freq[j];
    cosines[j] = cos(angle) * amplitude;
    sines[j] = sin(angle) * amplitude;
  }
}

// One head. x: (2·pairs).
template <typename S>
void rope_head(S* x, const S* cosines, const S* sines, int64_t pairs, bool interleaved) {
  for (int64_t j = 0; j < pairs; ++j) {
    S& first = interleaved ? x[2 * j] : x[j];
    S& second = interleaved ? x[2 * j + 1] : x[j + pairs];
    const S a = first, b = second;
    first = a * cosines[j] - b * sines[j];
    second = b * cosines[j] + a * sines[j];
  }
}

}  // namespace ponder
