#include "ops/xent/xent.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/macros.hpp"
#include "ops/cost.hpp"
#include "ops/kernel_table.hpp"
#include "ops/split.hpp"

namespace ponder {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int64_t kExpCost = 16;  // an exponential of libm, in elements of a simple loop

}  // namespace

float greatest_logit(std::span<const float> logits) {
  std::array<float, 16> lanes;  // independent comparisons, which the compiler turns into vectors
  lanes.fill(-kInfinity);
  size_t i = 0;
  for (; i + lanes.size() <= logits.size(); i += lanes.size()) {
    for (size_t lane = 0; lane < lanes.size(); ++lane)
      lanes[lane] = logits[i + lane] > lanes[lane] ? logits[i + lane] : lanes[lane];
  }
  float best = *std::max_element(lanes.begin(), lanes.end());
  for (; i < logits.size(); ++i) best = logits[i] > best ? logits[i] : best;
  return best;
}

LogSoftmax LogSoftmax::of(std::span<const float> logits, float temperature) {
  LogSoftmax softmax{.best = greatest_logit(logits), .temperature = temperature};
  const double best = static_cast<double>(softmax.best), scale = static_cast<double>(temperature);
  double total = 0.0, shifts = 0.0;
  for (const float logit : logits) {
    if (logit == softmax.best) {
      total += 1.0;
    } else if (logit > -kInfinity) {
      const double shift = (static_cast<double>(logit) - best) / scale;
      const double weight = std::exp(shift);
      total += weight;
      if (weight > 0.0) shifts += weight * shift;
    }
  }
  softmax.log_total = std::log(total);
  softmax.entropy = softmax.log_total - shifts / total;
  return softmax;
}

double LogSoftmax::log_probability(float logit) const {
  if (!(logit > -kInfinity)) return -static_cast<double>(kInfinity);
  if (logit == best) return -log_total;
  return (static_cast<double>(logit) - static_cast<double>(best)) /
             static_cast<double>(temperature) -
         log_total;
}

void xent(const Context& context, const XentArgs& args) {
  const ProfileScope profile(context, "xent", [&] { return cost_of(args); });
  PONDER_CHECK(args.rows >= 0 && args.vocabulary > 0 && args.temperature > 0.0f);
  const auto count = static_cast<size_t>(args.vocabulary);
  for_row_ranges(context, args.rows, args.vocabulary * kExpCost, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const std::span<const float> logits(args.logits + r * args.vocabulary, count);
      PONDER_CHECK(args.targets[r] >= 0 && args.targets[r] < args.vocabulary);
      const LogSoftmax softmax = LogSoftmax::of(logits, args.temperature);
      const float logit = logits[static_cast<size_t>(args.targets[r])];
      args.log_probability[r] = static_cast<float>(softmax.log_probability(logit));
      if (args.entropy != nullptr) args.entropy[r] = static_cast<float>(softmax.entropy);
    }
  });
}

void xent_backward(const Context& context, const XentBackwardArgs& args) {
  const ProfileScope profile(context, "xent_backward", [&] { return cost_of(args); });
  PONDER_CHECK(args.rows >= 0 && args.vocabulary > 0 && args.temperature > 0.0f);
  const auto count = static_cast<size_t>(args.vocabulary);
  const float inverse = 1.0f / args.temperature;
  for_row_ranges(context, args.rows, 4 * args.vocabulary, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const std::span<const float> logits(args.logits + r * args.vocabulary, count);
      float* dlogits = args.dlogits + r * args.vocabulary;
      const int32_t target = args.targets[r];
      PONDER_CHECK(target >= 0 && target < args.vocabulary);
      const float best = greatest_logit(logits);
      const float shift = (logits[static_cast<size_t>(target)] - best) * inverse;
      const float gradient = args.dlog_probability[r] * inverse;
      context.kernels->scaled_softmax({.logits = logits.data(),
                                       .out = dlogits,
                                       .count = args.vocabulary,
                                       .best = best,
                                       .inverse_temperature = inverse,
                                       .log_total = shift - args.log_probability[r],
                                       .factor = -gradient});
      dlogits[target] += gradient;
    }
  });
}

}  // namespace ponder
