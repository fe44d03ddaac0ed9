#include "model/rope_frequencies.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ponder {
namespace {

constexpr double kTwoPi = 2.0 * std::numbers::pi;

// g(t) = 0.1·t·ln(factor) + 1, for factors that stretch.
double magnitude(double t, double factor) {
  return factor > 1.0 ? 0.1 * t * std::log(factor) + 1.0 : 1.0;
}

// The pairs between which YaRN goes over from the old frequency to the divided one.
struct Ramp {
  double low = 0.0, high = 0.0;
  double at(int64_t pair) const {
    return std::clamp((static_cast<double>(pair) - low) / (high - low), 0.0, 1.0);
  }
};

Ramp yarn_ramp(double theta, int64_t dims, const RopeScalingConfig& scaling) {
  const auto d = static_cast<double>(dims);
  const auto context = static_cast<double>(scaling.original_context);
  // The pair that turns `rotations` times over the original context.
  const auto pair_of = [&](double rotations) {
    return d * std::log(context / (kTwoPi * rotations)) / (2.0 * std::log(theta));
  };
  Ramp ramp{std::max(std::floor(pair_of(scaling.beta_fast)), 0.0),
            std::min(std::ceil(pair_of(scaling.beta_slow)), d - 1.0)};
  if (ramp.low == ramp.high) ramp.high += 0.001;
  return ramp;
}

double llama3_frequency(double f, const RopeScalingConfig& scaling) {
  const auto context = static_cast<double>(scaling.original_context);
  const double wavelength = kTwoPi / f;
  if (wavelength < context / scaling.high_freq_factor) return f;
  if (wavelength > context / scaling.low_freq_factor) return f / scaling.factor;
  const double u = (context / wavelength - scaling.low_freq_factor) /
                   (scaling.high_freq_factor - scaling.low_freq_factor);
  return (1.0 - u) * f / scaling.factor + u * f;
}

}  // namespace

std::vector<float> rope_frequencies(double theta, int64_t dims, const RopeScalingConfig& scaling) {
  const bool yarn = scaling.kind == RopeScaling::kYarn;
  const Ramp ramp = yarn ? yarn_ramp(theta, dims, scaling) : Ramp{};
  std::vector<float> frequencies(static_cast<size_t>(dims / 2));
  for (int64_t j = 0; j < dims / 2; ++j) {
    double f = std::pow(theta, -2.0 * static_cast<double>(j) / static_cast<double>(dims));
    if (yarn) {
      const double rho = ramp.at(j);
      f = f * (1.0 - rho) + f / scaling.factor * rho;
    } else if (scaling.kind == RopeScaling::kLlama3) {
      f = llama3_frequency(f, scaling);
    } else if (scaling.kind == RopeScaling::kLinear) {
      f /= scaling.factor;
    }
    frequencies[static_cast<size_t>(j)] = static_cast<float>(f);
  }
  return frequencies;
}

std::vector<float> rope_factors(const RopeConfig& rope) {
  std::vector<float> factors = rope_frequencies(rope.theta, rope.dims, {});
  for (size_t j = 0; j < factors.size(); ++j) factors[j] /= rope.inv_freq[j];
  return factors;
}

double rope_amplitude(const RopeScalingConfig& scaling) {
  if (scaling.kind != RopeScaling::kYarn) return 1.0;
  if (scaling.attention_factor) return *scaling.attention_factor;
  if (scaling.mscale != 0.0 && scaling.mscale_all_dim != 0.0) {
    return magnitude(scaling.mscale, scaling.factor) /
           magnitude(scaling.mscale_all_dim, scaling.factor);
  }
  return magnitude(1.0, scaling.factor) * scaling.attn_factor;
}

double yarn_softmax_factor(const RopeScalingConfig& scaling) {
  if (scaling.kind != RopeScaling::kYarn) return 1.0;
  return magnitude(scaling.mscale_all_dim, scaling.factor);
}

void derive_constants(Config& config) {
  RopeConfig& rope = config.rope;
  rope.inv_freq = rope_frequencies(rope.theta, rope.dims, rope.scaling);
  rope.amplitude = static_cast<float>(rope_amplitude(rope.scaling));
  AttentionConfig& attention = config.attention;
  const double m = attention.mla ? yarn_softmax_factor(rope.scaling) : 1.0;
  attention.scale = static_cast<float>(m * m / std::sqrt(static_cast<double>(attention.head_dim)));
}

}  // namespace ponder
