// Encoders of block formats. Three simple ones take scale and minimum from the extremes of the
// block, as the reference encoders of Q8_0 … Q5_1 do, bit for bit. The formats with sub-blocks and
// the codebook formats are searched for the scales that minimise a weighted squared error:
//   1. fit each sub-block alone: try a grid of scales (and clipped ranges), keep the best after a
//      least-squares fit of scale and minimum to the chosen levels, then alternate rounding and
//      fitting (Lloyd 1982) a few times;
//   2. fit the block: round scales and minima to integers, trying both neighbours with levels
//   chosen
//      anew, then refit d and dmin to all levels by least squares; keep the best round.
// For .cpp files of formats only (templates, built for the baseline instruction set).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "quant/format.hpp"
#include "quant/half.hpp"

namespace ponder {

// Weights beyond the range of f16 have no useful code; NaN has none at all. Exact for all others.
inline float finite_weight(float x) {
  if (!(x == x)) return 0;
  return std::min(std::max(x, -65504.0f), 65504.0f);
}

template <typename Format>
inline constexpr int kMaxQ = (1 << (Format::kLowBits + Format::kHighBits)) - 1;

inline float reciprocal_or_zero(float d) { return d == 0 ? 0.0f : 1.0f / d; }

// y = d·(q − kOffset), with d such that the element of largest magnitude, the first of equals, gets
// q = 0.
template <typename Format>
void encode_by_largest(const float* in /* (32) */, IntBlock& ints) {
  float largest = 0;
  for (int e = 0; e < Format::kBlockElements; ++e) {
    const float x = finite_weight(in[e]);
    if (std::fabs(x) > std::fabs(largest)) largest = x;
  }
  const float d = largest / static_cast<float>(-Format::kOffset);
  const float inverse = reciprocal_or_zero(d);
  for (int e = 0; e < Format::kBlockElements; ++e) {
    // 1/d may be infinite for subnormal d: 0·∞ is NaN, which std::max maps to 0.
    const float q = finite_weight(in[e]) * inverse + (static_cast<float>(Format::kOffset) + 0.5f);
    ints.q[e] =
        static_cast<uint8_t>(std::min(std::max(0.0f, q), static_cast<float>(kMaxQ<Format>)));
  }
  ints.d = f32_to_f16(d);
}

// y = d·q + m, with m the least and m + d·kMaxQ the greatest element.
template <typename Format>
void encode_by_range(const float* in /* (32) */, IntBlock& ints) {
  float least = finite_weight(in[0]), greatest = least;
  for (int e = 1; e < Format::kBlockElements; ++e) {
    least = std::min(least, finite_weight(in[e]));
    greatest = std::max(greatest, finite_weight(in[e]));
  }
  const float d = (greatest - least) / static_cast<float>(kMaxQ<Format>);
  const float inverse = reciprocal_or_zero(d);
  for (int e = 0; e < Format::kBlockElements; ++e) {
    const float q = (finite_weight(in[e]) - least) * inverse + 0.5f;
    ints.q[e] =
        static_cast<uint8_t>(std::min(std::max(0.0f, q), static_cast<float>(kMaxQ<Format>)));
  }
  ints.d = f32_to_f16(d);
  ints.dmin = f32_to_f16(least);
}

// From here on: the search. t is a level (see format.hpp), w the weight of an element's error.

using Lanes = float __attribute__((vector_size(16)));
inline constexpr int kLanes = 4;

inline Lanes lanes(float x) { return Lanes{x, x, x, x}; }
inline float sum_lanes(Lanes v) { return (v[0] + v[2]) + (v[1] + v[3]); }
inline Lanes clamp_lanes(Lanes v, float low, float high) {
  v = v > lanes(low) ? v : lanes(low);
  return v < lanes(high) ? v : lanes(high);
}
// To the nearest integer, for |v| < 2^22.
inline Lanes round_lanes(Lanes v) {
  const Lanes magic = lanes(0x1.8p23f);
  return (v + magic) - magic;
}

// Levels of a format as the search needs them.
template <typename Format>
struct Levels {
  static constexpr float kLow = static_cast<float>(-Format::kOffset);
  static constexpr float kHigh = static_cast<float>(kMaxQ<Format> - Format::kOffset);
  static constexpr float kEdge = 1;  // distance of the outermost level from the next

  static Lanes nearest(Lanes v) { return round_lanes(clamp_lanes(v, kLow, kHigh)); }
  static uint8_t code(float level) {
    return static_cast<uint8_t>(static_cast<int>(level) + Format::kOffset);
  }
};

template <typename Format>
requires Format::kHasCodebook struct Levels<Format> {
  static constexpr int kFirst = Format::kCodebook[0], kLast = Format::kCodebook[15];
  static constexpr float kLow = kFirst, kHigh = kLast;
  static constexpr float kEdge = static_cast<float>(Format::kCodebook[1] - kFirst);

  // Which code is nearest to each integer from kFirst to kLast.
  struct Table {
    uint8_t code[kLast - kFirst + 1] = {};
    constexpr Table() {
      int q = 0;
      for (int i = kFirst; i <= kLast; ++i) {
        while (q < 15 && 2 * i > Format::kCodebook[q] + Format::kCodebook[q + 1]) ++q;
        code[i - kFirst] = static_cast<uint8_t>(q);
      }
    }
  };
  static constexpr Table kTable{};

  static uint8_t code(float level) { return kTable.code[static_cast<int>(level) - kFirst]; }
  static Lanes nearest(Lanes v) {
    v = round_lanes(clamp_lanes(v, kLow, kHigh));
    Lanes level;
    for (int i = 0; i < kLanes; ++i) level[i] = Format::kCodebook[code(v[i])];
    return level;
  }
};

// The elements of a sub-block, with weights |x| + root mean square: large elements matter more,
// since an outlier's error is felt on its own, but small ones are not lost.
template <typename Format>
struct SubBlock {
  static constexpr int kVectors = Format::kScaleElements / kLanes;
  Lanes x[kVectors], w[kVectors];
  float least = 0, greatest = 0;  // of x and 0
  float sum_w = 0, sum_wx = 0;    // Σw, Σwx

  explicit SubBlock(const float* in) {
    float square = 0;
    for (int v = 0; v < kVectors; ++v) {
      for (int i = 0; i < kLanes; ++i) {
        const float value = finite_weight(in[v * kLanes + i]);
        x[v][i] = value;
        least = std::min(least, value);
        greatest = std::max(greatest, value);
        square += value * value;
      }
    }
    const float rms = std::sqrt(square / static_cast<float>(Format::kScaleElements));
    Lanes w_lanes{}, wx_lanes{};
    for (int v = 0; v < kVectors; ++v) {
      w[v] = (x[v] < 0 ? -x[v] : x[v]) + lanes(rms);
      w_lanes += w[v];
      wx_lanes += w[v] * x[v];
    }
    sum_w = sum_lanes(w_lanes);
    sum_wx = sum_lanes(wx_lanes);
  }
};

// x ≈ scale·t − min, min ≥ 0.
struct Fit {
  float scale = 0, min = 0;
};

template <typename Format>
Lanes nearest_levels(Lanes x, float inverse_scale, float min) {
  if constexpr (Format::kHasMin) x += lanes(min);
  return Levels<Format>::nearest(x * lanes(inverse_scale));
}

// Σwt, Σwt², Σwxt for the levels nearest under a fit given by 1/scale and min.
struct Moments {
  float t = 0, tt = 0, xt = 0;
};

template <typename Format>
Moments level_moments(const SubBlock<Format>& sub, float inverse_scale, float min) {
  Lanes t_sum{}, tt_sum{}, xt_sum{};
  for (int v = 0; v < SubBlock<Format>::kVectors; ++v) {
    const Lanes t = nearest_levels<Format>(sub.x[v], inverse_scale, min);
    const Lanes wt = sub.w[v] * t;
    t_sum += wt;
    tt_sum += wt * t;
    xt_sum += wt * sub.x[v];
  }
  return {.t = sum_lanes(t_sum), .tt = sum_lanes(tt_sum), .xt = sum_lanes(xt_sum)};
}

// Σw(x − scale·t + min)² with the nearest levels.
template <typename Format>
float fit_error(const SubBlock<Format>& sub, Fit fit) {
  const float inverse = reciprocal_or_zero(fit.scale);
  Lanes error{};
  for (int v = 0; v < SubBlock<Format>::kVectors; ++v) {
    const Lanes t = nearest_levels<Format>(sub.x[v], inverse, fit.min);
    const Lanes rest = sub.x[v] - (lanes(fit.scale) * t - lanes(fit.min));
    error += sub.w[v] * rest * rest;
  }
  return sum_lanes(error);
}

// The least-squares fit to fixed levels, and by how much it lowers the error below Σwx².
struct Solution {
  Fit fit;
  float gain = 0;
};

template <typename Format>
Solution solve_fit(const SubBlock<Format>& sub, const Moments& m) {
  if (!(m.tt > 0)) return {};
  if constexpr (Format::kHasMin) {
    const float determinant = sub.sum_w * m.tt - m.t * m.t;
    if (determinant > 0) {
      const float scale = (sub.sum_w * m.xt - sub.sum_wx * m.t) / determinant;
      const float min = (m.t * m.xt - m.tt * sub.sum_wx) / determinant;
      if (min >= 0 && scale > 0) return {{scale, min}, scale * m.xt - min * sub.sum_wx};
    }
    if (m.xt <= 0) return {};
  }
  return {{m.xt / m.tt, 0}, m.xt * m.xt / m.tt};
}

// Whether the levels nearest under this fit led to a better one, now in `best`.
template <typename Format>
bool try_fit(const SubBlock<Format>& sub, float inverse_scale, float min, Solution& best) {
  const Solution solution = solve_fit(sub, level_moments(sub, inverse_scale, min));
  if (!(solution.gain > best.gain)) return false;
  best = solution;
  return true;
}

// Step 1: the best fit of a sub-block alone.
template <typename Format>
Fit fit_sub_block(const SubBlock<Format>& sub) {
  using L = Levels<Format>;
  const float span = sub.greatest - sub.least;
  if (!(span > 1e-30f)) return {};
  Solution best;
  if constexpr (Format::kHasMin) {
    // The range is clipped by `low` steps below and `high` steps above.
    const float step = span / L::kHigh;
    constexpr float kClips[] = {-0.35f, 0.0f, 0.25f, 0.5f, 0.8f};
    for (const float low : kClips) {
      if (sub.least == 0 && low != 0) continue;
      for (const float high : kClips) {
        const float inverse = L::kHigh / (span - (low + high) * step);
        try_fit(sub, inverse, -sub.least - low * step, best);
      }
    }
    // A constant sub-block below zero: nothing but its minimum.
    const float mean = sub.sum_wx / sub.sum_w;
    if (mean < 0 && mean * sub.sum_wx > best.gain) best = {{0, -mean}, mean * sub.sum_wx};
  } else {
    const float largest = std::max(sub.greatest, -sub.least);
    constexpr float kClips[] = {-1.0f, -0.7f, -0.4f, -0.1f, 0.2f, 0.5f, 0.8f, 1.1f, 1.4f};
    for (const float clip : kClips) {
      const float inverse = (-L::kLow - clip * L::kEdge) / largest;
      try_fit(sub, inverse, 0, best);
      try_fit(sub, -inverse, 0, best);
    }
  }
  for (int round = 0; round < 4 && best.fit.scale != 0; ++round) {
    if (!try_fit(sub, 1 / best.fit.scale, best.fit.min, best)) break;
  }
  return best.fit;
}

// The f16 nearest to x, or the next greater one if `limit` steps of it would fall short of
// limit·x by more than half a step (x ≥ 0, near the end of f16's range below).
inline float f16_step(float x, int limit) {
  const uint16_t half = f32_to_f16(x);
  const float nearest = f16_to_f32(half);
  const float needed = static_cast<float>(limit) * x;
  if ((static_cast<float>(limit) + 0.5f) * nearest >= needed) return nearest;
  return f16_to_f32(static_cast<uint16_t>(half + 1));
}

// The state of step 2.
struct BlockFit {
  float d = 0, dmin = 0;  // both exact in f16
  int scale[16] = {}, min[16] = {};
  double error = 0;
};

// The integer scale and minimum of a sub-block near `wanted` with the least error, which is
// returned.
template <typename Format>
float fit_integers(const SubBlock<Format>& sub, Fit wanted, const BlockFit& block, int& scale,
                   int& min) {
  float least_error = fit_error(sub, {});
  scale = 0;
  min = 0;
  const auto consider = [&](int new_scale, int new_min) {
    new_min = std::clamp(new_min, 0, Format::kScaleHigh);
    const float error = fit_error(
        sub, {block.d * static_cast<float>(new_scale), block.dmin * static_cast<float>(new_min)});
    if (error >= least_error) return;
    least_error = error;
    scale = new_scale;
    min = new_min;
  };
  const float exact = wanted.scale * reciprocal_or_zero(block.d);
  const int below = static_cast<int>(std::floor(std::clamp(
      exact, static_cast<float>(Format::kScaleLow), static_cast<float>(Format::kScaleHigh))));
  for (int s = below; s <= std::min(below + 1, Format::kScaleHigh); ++s) {
    if constexpr (Format::kHasMin) {
      // The best minimum depends on the scale that rounding left over.
      const float value = block.d * static_cast<float>(s);
      const float total = s == 0 ? 0 : value * level_moments(sub, 1 / value, wanted.min).t;
      const float exact_min =
          sub.sum_w > 0 ? (total - sub.sum_wx) / sub.sum_w * reciprocal_or_zero(block.dmin) : 0;
      const int min_below = static_cast<int>(
          std::floor(std::clamp(exact_min, 0.0f, static_cast<float>(Format::kScaleHigh))));
      consider(s, min_below);
      consider(s, min_below + 1);
    } else {
      consider(s, 0);
    }
  }
  return least_error;
}

// d and dmin by least squares for the integers of `block` and the levels nearest under it.
template <typename Format>
void refit_steps(const SubBlock<Format>* subs, BlockFit& block) {
  double ss = 0, sm = 0, mm = 0, sx = 0, mx = 0;
  for (int s = 0; s < Format::kBlockElements / Format::kScaleElements; ++s) {
    const double scale = block.scale[s], min = block.min[s];
    const Moments moments =
        level_moments(subs[s], reciprocal_or_zero(block.d * static_cast<float>(scale)),
                      block.dmin * static_cast<float>(min));
    ss += scale * scale * moments.tt;
    sm += scale * min * moments.t;
    mm += min * min * subs[s].sum_w;
    sx += scale * moments.xt;
    mx += min * subs[s].sum_wx;
  }
  // Minimises ss·d² − 2sm·d·dmin + mm·dmin² − 2sx·d + 2mx·dmin.
  const double determinant = ss * mm - sm * sm;
  double d = ss > 0 ? sx / ss : 0, dmin = 0;
  if (Format::kHasMin && determinant > 1e-9 * ss * mm) {
    d = (sx * mm - sm * mx) / determinant;
    dmin = (sx * sm - ss * mx) / determinant;
  }
  block.d = f16_to_f32(f32_to_f16(static_cast<float>(d)));
  block.dmin = f16_to_f32(f32_to_f16(static_cast<float>(std::max(dmin, 0.0))));
}

template <typename Format>
void store_fit(const SubBlock<Format>* subs, const BlockFit& block, IntBlock& ints) {
  ints.d = f32_to_f16(block.d);
  ints.dmin = f32_to_f16(block.dmin);
  for (int s = 0; s < Format::kBlockElements / Format::kScaleElements; ++s) {
    ints.scale[s] = static_cast<int8_t>(block.scale[s]);
    ints.min[s] = static_cast<uint8_t>(block.min[s]);
    const float inverse = reciprocal_or_zero(block.d * static_cast<float>(block.scale[s]));
    const float min = block.dmin * static_cast<float>(block.min[s]);
    uint8_t* q = ints.q + s * Format::kScaleElements;
    for (int v = 0; v < SubBlock<Format>::kVectors; ++v) {
      const Lanes t = nearest_levels<Format>(subs[s].x[v], inverse, min);
      for (int i = 0; i < kLanes; ++i) q[v * kLanes + i] = Levels<Format>::code(t[i]);
    }
  }
}

// Step 2 for formats with sub-blocks. in: (kBlockElements).
template <typename Format>
void encode_by_search(const float* in, IntBlock& ints) {
  constexpr int kSubBlocks = Format::kBlockElements / Format::kScaleElements;
  constexpr int kRounds = 3;
  const auto subs = [&]<int... S>(std::integer_sequence<int, S...>) {
    return std::array<SubBlock<Format>, kSubBlocks>{
        SubBlock<Format>(in + S * Format::kScaleElements)...};
  }
  (std::make_integer_sequence<int, kSubBlocks>{});
  Fit fits[kSubBlocks];
  float largest = 0, largest_min = 0;
  for (int s = 0; s < kSubBlocks; ++s) {
    fits[s] = fit_sub_block(subs[s]);
    if (std::fabs(fits[s].scale) > std::fabs(largest)) largest = fits[s].scale;
    largest_min = std::max(largest_min, fits[s].min);
  }
  // The largest scale gets the integer of largest magnitude: the negative one where there is one.
  constexpr int kLargest = Format::kScaleLow < 0 ? -Format::kScaleLow : Format::kScaleHigh;
  BlockFit block, best;
  block.d = f16_step(std::fabs(largest) / kLargest, kLargest);
  const bool flip = Format::kScaleLow < 0 ? largest > 0 : largest < 0;
  if (flip) block.d = -block.d;
  block.dmin = f16_step(largest_min / Format::kScaleHigh, Format::kScaleHigh);
  for (int round = 0; round < kRounds; ++round) {
    block.error = 0;
    for (int s = 0; s < kSubBlocks; ++s) {
      block.error += fit_integers(subs[s], fits[s], block, block.scale[s], block.min[s]);
    }
    if (round > 0 && block.error >= best.error) break;
    best = block;
    refit_steps(subs.data(), block);
  }
  store_fit(subs.data(), best, ints);
}

}  // namespace ponder
