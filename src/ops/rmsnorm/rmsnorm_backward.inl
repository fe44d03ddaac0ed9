// Gradients of RMS normalisation over a vector type V. A row's sums run as in the forward pass.
#include "ops/rmsnorm/rmsnorm.hpp"
#include "ops/rmsnorm/rmsnorm_forward.inl"

namespace ponder {

template <typename V>
void rmsnorm_scales(const RmsnormBackwardArgs& args, float* scales, int64_t begin,
                    int64_t end) noexcept {
  for (int64_t r = begin; r < end; ++r) {
    const float squares = sum_of_squares<V>(args.x + r * args.x_stride, args.width);
    scales[r] = 1.0f / __builtin_sqrtf(squares / static_cast<float>(args.width) + args.epsilon);
  }
}

// ⟨g ⊙ dy, x⟩ of one row.
template <typename V>
PONDER_INLINE float sum_of_products(const float* g, const float* dy, const float* x,
                                    int64_t width) {
  typename V::Floats sums[2] = {V::zero(), V::zero()};
  int64_t i = 0;
  for (; i + 2 * V::kLanes <= width; i += 2 * V::kLanes) {
#pragma GCC unroll 2
    for (int part = 0; part < 2; ++part) {
      const int64_t at = i + part * V::kLanes;
      const auto t = V::mul(V::load(g + at), V::load(dy + at));
      sums[part] = V::fma(t, V::load(x + at), sums[part]);
    }
  }
  for (; i + V::kLanes <= width; i += V::kLanes)
    sums[0] = V::fma(V::mul(V::load(g + i), V::load(dy + i)), V::load(x + i), sums[0]);
  if (const int rest = static_cast<int>(width - i); rest > 0) {
    const auto t = V::mul(V::load_prefix(g + i, rest), V::load_prefix(dy + i, rest));
    sums[1] = V::fma(t, V::load_prefix(x + i, rest), sums[1]);
  }
  return V::reduce_add(V::add(sums[0], sums[1]));
}

// dx = r·(g ⊙ dy) − x·(r³·⟨g ⊙ dy, x⟩/H), perhaps added to what is there.
template <typename V>
PONDER_INLINE typename V::Floats rmsnorm_gradient(typename V::Floats g, typename V::Floats dy,
                                                  typename V::Floats x, typename V::Floats scale,
                                                  typename V::Floats pull) {
  return V::fnma(x, pull, V::mul(V::mul(g, dy), scale));
}

template <typename V>
void rmsnorm_backward_rows(const RmsnormBackwardArgs& args, const float* scales, int64_t begin,
                           int64_t end) noexcept {
  for (int64_t r = begin; r < end; ++r) {
    const float* x = args.x + r * args.x_stride;     // (H)
    const float* dy = args.dy + r * args.dy_stride;  // (H)
    float* dx = args.dx + r * args.dx_stride;        // (H)
    const float* g = args.g;
    const float mean = sum_of_products<V>(g, dy, x, args.width) / static_cast<float>(args.width);
    const auto scale = V::set(scales[r]);
    const auto pull = V::set(scales[r] * scales[r] * scales[r] * mean);
    int64_t i = 0;
    for (; i + V::kLanes <= args.width; i += V::kLanes) {
      auto d = rmsnorm_gradient<V>(V::load(g + i), V::load(dy + i), V::load(x + i), scale, pull);
      if (args.accumulate) d = V::add(V::load(dx + i), d);
      V::store(dx + i, d);
    }
    if (const int rest = static_cast<int>(args.width - i); rest > 0) {
      auto d = rmsnorm_gradient<V>(V::load_prefix(g + i, rest), V::load_prefix(dy + i, rest),
                                   V::load_prefix(x + i, rest), scale, pull);
      if (args.accumulate) d = V::add(V::load_prefix(dx + i, rest), d);
      V::store_prefix(dx + i, d, rest);
    }
  }
}

template <typename V>
void rmsnorm_backward_columns(const RmsnormBackwardArgs& args, const float* scales, int64_t begin,
                              int64_t end) noexcept {
  for (int64_t first = 0; first < args.rows; first += kRmsnormChunk) {
    const int64_t last = first + kRmsnormChunk < args.rows ? first + kRmsnormChunk : args.rows;
    for (int64_t i = begin; i < end; i += V::kLanes) {
      const int64_t left = end - i;
      const int rest = static_cast<int>(left);
      const bool whole = left >= V::kLanes;
      auto sum = V::zero();
      for (int64_t r = first; r < last; ++r) {
        const float* x = args.x + r * args.x_stride + i;
        const float* dy = args.dy + r * args.dy_stride + i;
        const auto normal = V::mul(whole ? V::load(x) : V::load_prefix(x, rest), V::set(scales[r]));
        sum = V::fma(whole ? V::load(dy) : V::load_prefix(dy, rest), normal, sum);
      }
      if (whole) {
        V::store(args.dg + i, V::add(V::load(args.dg + i), sum));
      } else {
        V::store_prefix(args.dg + i, V::add(V::load_prefix(args.dg + i, rest), sum), rest);
      }
    }
  }
}

template <typename V>
PONDER_INLINE RmsnormBackwardKernels rmsnorm_backward_kernels_of() {
  return {.scales = rmsnorm_scales<V>,
          .rows = rmsnorm_backward_rows<V>,
          .columns = rmsnorm_backward_columns<V>};
}

}  // namespace ponder
