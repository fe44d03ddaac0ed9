// Random input and error measures for tests and benchmarks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/rng.hpp"

namespace ponder::testing {

// Standard normal numbers, the same for the same seed.
inline std::vector<float> random_floats(uint64_t seed, int64_t count) {
  Rng rng(seed);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = rng.next_normal();
  return values;
}

// The same numbers in another type, for the scalar truth in f64.
template <typename To, typename From>
std::vector<To> convert(const std::vector<From>& values) {
  return std::vector<To>(values.begin(), values.end());
}

// max |actual − expected| / max |expected|. Infinite if the sizes or the places and signs of NaN
// and infinities differ.
template <typename Actual, typename Expected>
double max_relative_error(const Actual& actual, const Expected& expected) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (actual.size() != expected.size()) return kInfinity;
  double difference = 0.0, magnitude = 0.0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double a = static_cast<double>(actual[i]), e = static_cast<double>(expected[i]);
    if (std::isfinite(e) && std::isfinite(a)) {
      difference = std::max(difference, std::abs(a - e));
      magnitude = std::max(magnitude, std::abs(e));
    } else if (!(a == e || (std::isnan(a) && std::isnan(e)))) {
      return kInfinity;
    }
  }
  return difference == 0.0 ? 0.0 : difference / magnitude;
}

template <typename T>
double norm(const std::vector<T>& values) {
  double squares = 0.0;
  for (const T& v : values) squares += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(squares);
}

// What an f32 dot product of n terms may be off by, in any order of summation: rounding errors of
// n steps as a random walk, with a factor for safety (Higham & Mary 2019, theorem 2.8).
inline double dot_tolerance(int64_t terms, double norm_a, double norm_b) {
  constexpr double kUnit = 0x1p-24;
  return 4.0 * std::sqrt(static_cast<double>(terms) + 1.0) * kUnit * norm_a * norm_b;
}

}  // namespace ponder::testing
