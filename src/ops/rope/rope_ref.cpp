#include "ops/rope/rope_ref.hpp"

#include "ops/rope/rope.hpp"

namespace ponder {

void rope_angles(const RopeArgs& args, int64_t token, float* cosines, float* sines) noexcept {
  rope_angles<float>(args.positions[token], args.inv_freq, args.dims / 2, args.amplitude, cosines,
                     sines);
  if (!args.backward) return;
  for (int64_t j = 0; j < args.dims / 2; ++j) sines[j] = -sines[j];
}

namespace ref {

void rope(const RopeArgs& args, int64_t begin, int64_t end) noexcept {
  float cosines[kMaxRopeDims / 2], sines[kMaxRopeDims / 2];
  for (int64_t t = begin; t < end; ++t) {
    rope_angles(args, t, cosines, sines);
    for (int64_t h = 0; h < args.heads; ++h) {
      float* x = args.x + t * args.token_stride + h * args.head_stride;  // (d)
      rope_head<float>(x, cosines, sines, args.dims / 2, args.interleaved);
    }
  }
}

}  // namespace ref
}  // namespace ponder
