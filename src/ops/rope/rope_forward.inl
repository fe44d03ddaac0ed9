// Rotary position embedding over a vector type V: the angles of a token once, then all its heads.
#include "ops/rope/rope.hpp"

namespace ponder {

// Pairs (j, j + d/2). x: (d); cosines, sines: (d/2).
template <typename V>
PONDER_INLINE void rotate_halves(float* x, const float* cosines, const float* sines,
                                 int64_t pairs) {
  float* second = x + pairs;  // (d/2)
  int64_t j = 0;
  for (; j + V::kLanes <= pairs; j += V::kLanes) {
    const auto a = V::load(x + j), b = V::load(second + j);
    const auto c = V::load(cosines + j), s = V::load(sines + j);
    V::store(x + j, V::fnma(b, s, V::mul(a, c)));
    V::store(second + j, V::fma(a, s, V::mul(b, c)));
  }
  if (const int rest = static_cast<int>(pairs - j); rest > 0) {
    const auto a = V::load_prefix(x + j, rest), b = V::load_prefix(second + j, rest);
    const auto c = V::load_prefix(cosines + j, rest), s = V::load_prefix(sines + j, rest);
    V::store_prefix(x + j, V::fnma(b, s, V::mul(a, c)), rest);
    V::store_prefix(second + j, V::fma(a, s, V::mul(b, c)), rest);
  }
}

// Pairs (2j, 2j+1). x, cosines, sines: (d), each cosine twice, each sine as −sin, +sin.
template <typename V>
PONDER_INLINE void rotate_neighbours(float* x, const float* cosines, const float* sines,
                                     int64_t dims) {
  int64_t i = 0;
  for (; i + V::kLanes <= dims; i += V::kLanes) {
    const auto v = V::load(x + i);
    const auto kept = V::mul(v, V::load(cosines + i));
    V::store(x + i, V::fma(V::swap_neighbours(v), V::load(sines + i), kept));
  }
  if (const int rest = static_cast<int>(dims - i); rest > 0) {
    const auto v = V::load_prefix(x + i, rest);
    const auto kept = V::mul(v, V::load_prefix(cosines + i, rest));
    const auto turned = V::fma(V::swap_neighbours(v), V::load_prefix(sines + i, rest), kept);
    V::store_prefix(x + i, turned, rest);
  }
}

template <typename V>
PONDER_INLINE void rope_tokens(const RopeArgs& args, int64_t begin, int64_t end) {
  float cosines[kMaxRopeDims], sines[kMaxRopeDims];
  const int64_t pairs = args.dims / 2;
  for (int64_t t = begin; t < end; ++t) {
    rope_angles(args, t, cosines, sines);
    if (args.interleaved) {
      for (int64_t j = pairs - 1; j >= 0; --j) {  // from the end: widened in place
        const float c = cosines[j], s = sines[j];
        cosines[2 * j] = cosines[2 * j + 1] = c;
        sines[2 * j] = -s;
        sines[2 * j + 1] = s;
      }
    }
    for (int64_t h = 0; h < args.heads; ++h) {
      float* x = args.x + t * args.token_stride + h * args.head_stride;  // (d)
      if (args.interleaved) {
        rotate_neighbours<V>(x, cosines, sines, args.dims);
      } else {
        rotate_halves<V>(x, cosines, sines, pairs);
      }
    }
  }
}

}  // namespace ponder
