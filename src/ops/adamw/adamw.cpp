#include "ops/adamw/adamw.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/checked_math.hpp"
#include "base/macros.hpp"
#include "ops/cost.hpp"
#include "ops/kernel_table.hpp"
#include "ops/split.hpp"

namespace ponder {
namespace {

constexpr int64_t kSquaresChunk = 16384;  // elements whose squares are summed apart

AdamwFactors factors_of(const AdamwArgs& args) {
  const AdamwOptions& o = args.options;
  const auto steps = static_cast<double>(args.step);
  const double rate = static_cast<double>(o.learning_rate);
  const double beta1 = static_cast<double>(o.beta1), beta2 = static_cast<double>(o.beta2);
  return {.clip = args.clip,
          .beta1 = o.beta1,
          .one_minus_beta1 = static_cast<float>(1.0 - beta1),
          .beta2 = o.beta2,
          .one_minus_beta2 = static_cast<float>(1.0 - beta2),
          .keep = static_cast<float>(1.0 - rate * static_cast<double>(o.weight_decay)),
          .step_size = static_cast<float>(rate / (1.0 - std::pow(beta1, steps))),
          .inverse_correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(beta2, steps))),
          .epsilon = o.epsilon};
}

double chunk_of_squares(std::span<const float> values) {
  constexpr size_t kLanes = 8;  // independent sums, which the compiler turns into vectors
  double sums[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const double v = static_cast<double>(values[i + lane]);
      sums[lane] += v * v;
    }
  }
  for (; i < values.size(); ++i)
    sums[i % kLanes] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

void adamw(const Context& context, const AdamwArgs& args) {
  const ProfileScope profile(context, "adamw", [&] { return cost_of(args); });
  PONDER_CHECK(args.count >= 0 && args.step >= 1);
  const AdamwFactors factors = factors_of(args);
  for_row_ranges(context, args.count, 4, [&](int64_t begin, int64_t end) {
    context.kernels->adamw(args, factors, begin, end);
  });
}

double sum_of_squares(const Context& context, std::span<const float> gradients) {
  const auto count = std::ssize(gradients);
  const int64_t chunks = ceil_div(count, kSquaresChunk);
  std::vector<double> sums(static_cast<size_t>(chunks));
  for_row_ranges(context, chunks, kSquaresChunk, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      const int64_t first = chunk * kSquaresChunk;
      sums[static_cast<size_t>(chunk)] = chunk_of_squares(gradients.subspan(
          static_cast<size_t>(first), static_cast<size_t>(std::min(kSquaresChunk, count - first))));
    }
  });
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return total;
}

float clip_factor(double norm, double limit) {
  if (!(limit > 0.0)) return 1.0f;
  return static_cast<float>(std::min(1.0, limit / (norm + 1e-6)));
}

}  // namespace ponder
