#include "ops/sample/sample.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::random_floats;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// `sample` on a copy of the logits.
int32_t run(std::vector<float> logits, const SamplingOptions& options, uint64_t draw = 0,
            const std::vector<int32_t>& history = {}) {
  return sample(logits, history, options, draw);
}

// How often each token comes up in `draws` draws.
std::vector<int> histogram(const std::vector<float>& logits, const SamplingOptions& options,
                           int draws) {
  std::vector<int> counts(logits.size());
  for (int i = 0; i < draws; ++i)
    ++counts[static_cast<size_t>(run(logits, options, static_cast<uint64_t>(i)))];
  return counts;
}

// The tokens that come up.
std::set<int32_t> support(const std::vector<float>& logits, const SamplingOptions& options,
                          int draws = 2000) {
  std::set<int32_t> tokens;
  for (int i = 0; i < draws; ++i) tokens.insert(run(logits, options, static_cast<uint64_t>(i)));
  return tokens;
}

std::vector<float> logits_of(std::initializer_list<double> probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

// Pearson's statistic for counts of draws from `probabilities`.
double chi_square(const std::vector<int>& counts, const std::vector<double>& probabilities) {
  double draws = 0.0, statistic = 0.0;
  for (const int count : counts) draws += count;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double expected = draws * probabilities[i];
    statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  return statistic;
}

TEST(Sample, GreedyIsTheLowestIndexOfTheGreatest) {
  EXPECT_EQ(run({0.0f, 2.0f, 1.0f, 2.0f}, {}), 1);
  EXPECT_EQ(run({-1.0f}, {}), 0);
  EXPECT_EQ(run(std::vector<float>(9, 0.5f), {}), 0);
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto logits = random_floats(seed, 1000);
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    EXPECT_EQ(run(logits, {.seed = seed}, seed), best);
  }
}

TEST(Sample, FollowsTheDistribution) {
  const std::vector<double> p = {0.4, 0.3, 0.15, 0.1, 0.05};
  const auto logits = logits_of({0.4, 0.3, 0.15, 0.1, 0.05});
  // 99.99th percentile of χ² with four degrees of freedom: 23.5.
  EXPECT_LT(chi_square(histogram(logits, {.temperature = 1.0f, .seed = 7}, 20000), p), 23.5);
}

TEST(Sample, TemperatureIsAPowerOfTheProbabilities) {
  const auto logits = logits_of({0.5, 0.3, 0.2});
  for (const float temperature : {0.5f, 2.0f}) {
    std::vector<double> p;
    for (const double base : {0.5, 0.3, 0.2})
      p.push_back(std::pow(base, 1.0 / static_cast<double>(temperature)));
    const double total = p[0] + p[1] + p[2];
    for (double& v : p) v /= total;
    const auto counts = histogram(logits, {.temperature = temperature, .seed = 8}, 20000);
    EXPECT_LT(chi_square(counts, p), 18.4) << temperature;  // two degrees of freedom
  }
}

TEST(Sample, SameSeedAndDrawGiveTheSameToken) {
  const auto logits = random_floats(1, 5000);
  const SamplingOptions options = {.temperature = 1.0f, .top_p = 0.9f, .seed = 3};
  int differ_by_draw = 0, differ_by_seed = 0;
  for (uint64_t draw = 0; draw < 50; ++draw) {
    const int32_t token = run(logits, options, draw);
    EXPECT_EQ(run(logits, options, draw), token);
    differ_by_draw += run(logits, options, draw + 1) != token;
    differ_by_seed += run(logits, {.temperature = 1.0f, .top_p = 0.9f, .seed = 4}, draw) != token;
  }
  EXPECT_GT(differ_by_draw, 40);
  EXPECT_GT(differ_by_seed, 40);
}

TEST(Sample, TopKKeepsTheLikeliest) {
  const auto logits = logits_of({0.1, 0.3, 0.2, 0.3, 0.1});
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .top_k = 1}), (std::set<int32_t>{1}));
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .top_k = 3}), (std::set<int32_t>{1, 2, 3}));
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .top_k = 4}), (std::set<int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .top_k = 99}).size(), 5u);
}

TEST(Sample, TopPKeepsTheSmallestSufficientSet) {
  const auto logits = logits_of({0.05, 0.5, 0.15, 0.3});
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .top_p = 0.4f}), (std::set<int32_t>{1}));
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .top_p = 0.7f}), (std::set<int32_t>{1, 3}));
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .top_p = 0.9f}), (std::set<int32_t>{1, 2, 3}));
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .top_p = 0.0f}), (std::set<int32_t>{1}));
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .top_p = 1.0f}).size(), 4u);
}

// What is left out before sorting must not change the set: compared with sorting everything.
TEST(Sample, TopPOfALargeVocabularyIsExact) {
  for (const float scale : {0.01f, 1.0f, 4.0f}) {
    auto logits = random_floats(2, 3000);
    for (float& v : logits) v *= scale;
    std::vector<double> weights;
    for (const float v : logits) weights.push_back(std::exp(static_cast<double>(v)));
    std::sort(weights.rbegin(), weights.rend());
    double total = 0.0, kept = 0.0;
    for (const double w : weights) total += w;
    size_t expected = 0;
    while (kept < 0.9 * total) kept += weights[expected++];
    const double least = std::log(weights[expected - 1]);
    const SamplingOptions options = {.temperature = 1.0f, .top_p = 0.9f, .seed = 5};
    const auto tokens = support(logits, options, 4000);
    for (const int32_t token : tokens)
      EXPECT_GE(logits[static_cast<size_t>(token)], least - 1e-5) << scale;
    EXPECT_GT(tokens.size(), expected / 2) << scale;
  }
}

TEST(Sample, MinPIsRelativeToTheBest) {
  const auto logits = logits_of({0.05, 0.5, 0.15, 0.3});
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .min_p = 0.25f}), (std::set<int32_t>{1, 2, 3}));
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .min_p = 0.5f}), (std::set<int32_t>{1, 3}));
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .min_p = 1.0f}), (std::set<int32_t>{1}));
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .min_p = 7.0f}), (std::set<int32_t>{1}));
}

TEST(Sample, TruncationsComeInTheirOrder) {
  // top-k first: of the two left, 0.5 and 0.3, the first alone holds 0.625 ≥ 0.6.
  const auto logits = logits_of({0.05, 0.5, 0.15, 0.3});
  EXPECT_EQ(support(logits, {.temperature = 1.0f, .top_k = 2, .top_p = 0.6f}),
            (std::set<int32_t>{1}));
  // temperature before top-p: flattened, it takes three tokens to hold 0.7.
  EXPECT_EQ(support(logits, {.temperature = 4.0f, .top_p = 0.7f}), (std::set<int32_t>{1, 2, 3}));
}

TEST(Sample, RepeatPenaltyMovesTowardsUnlikely) {
  const SamplingOptions options = {.repeat_penalty = 2.0f};
  EXPECT_EQ(run({3.0f, 2.0f}, options, 0, {0}), 1);     // 3/2 < 2
  EXPECT_EQ(run({-1.0f, -1.5f}, options, 0, {0}), 1);   // −1·2 < −1.5
  EXPECT_EQ(run({5.0f, 2.0f}, options, 0, {0, 0}), 0);  // once, however often it came
  EXPECT_EQ(run({3.0f, 2.0f}, options, 0, {0, 1}), 0);
}

TEST(Sample, PresenceAndFrequencyPenaltiesCount) {
  EXPECT_EQ(run({3.0f, 2.0f}, {.presence_penalty = 1.5f}, 0, {0}), 1);
  EXPECT_EQ(run({3.0f, 1.0f}, {.presence_penalty = 1.5f}, 0, {0, 0, 0}), 0);
  EXPECT_EQ(run({3.0f, 1.0f}, {.frequency_penalty = 0.9f}, 0, {0, 0}), 0);
  EXPECT_EQ(run({3.0f, 1.0f}, {.frequency_penalty = 0.9f}, 0, {0, 0, 0}), 1);
}

TEST(Sample, PenaltiesLookAtTheWindow) {
  const SamplingOptions options = {.presence_penalty = 2.0f, .penalty_window = 2};
  EXPECT_EQ(run({3.0f, 2.0f, 0.0f}, options, 0, {0, 2, 2}), 0);
  EXPECT_EQ(run({3.0f, 2.0f, 0.0f}, options, 0, {2, 0, 2}), 1);
  EXPECT_EQ(run({3.0f, 2.0f, 0.0f}, options, 0, {0}), 1);
}

TEST(Sample, NanCountsAsImpossible) {
  EXPECT_EQ(run({kNan, 1.0f, 2.0f, kNan}, {}), 2);
  EXPECT_EQ(support({kNan, 1.0f, kNan, 1.0f}, {.temperature = 1.0f, .top_p = 0.99f}),
            (std::set<int32_t>{1, 3}));
  for (const float value : {kNan, -kInfinity}) {
    EXPECT_EQ(run({value, value, value}, {}), 0);
    EXPECT_EQ(run({value, value, value}, {.temperature = 1.0f, .top_k = 2, .top_p = 0.5f}), 0);
  }
}

TEST(Sample, InfinityTakesAll) {
  EXPECT_EQ(run({1.0f, kInfinity, 2.0f, kInfinity}, {}), 1);
  EXPECT_EQ(support({1.0f, kInfinity, 2.0f, kInfinity}, {.temperature = 1.0f}),
            (std::set<int32_t>{1, 3}));
  EXPECT_EQ(support({-kInfinity, 1.0f, -kInfinity}, {.temperature = 9.0f}), (std::set<int32_t>{1}));
}

TEST(Sample, ExtremeTemperatures) {
  const std::vector<float> logits = {1.0f, 3.0f, 2.0f};
  EXPECT_EQ(support(logits, {.temperature = 1e-30f}), (std::set<int32_t>{1}));
  EXPECT_EQ(support(logits, {.temperature = 1e30f}).size(), 3u);
  EXPECT_EQ(run(logits, {.temperature = kNan}), 1);
}

TEST(LogProbability, IsTheLogOfSoftmax) {
  const auto logits = random_floats(3, 1000);
  double total = 0.0;
  for (const float v : logits) total += std::exp(static_cast<double>(v));
  for (const int32_t token : {0, 1, 500, 999}) {
    EXPECT_NEAR(log_probability(logits, token),
                static_cast<double>(logits[static_cast<size_t>(token)]) - std::log(total), 1e-12);
  }
}

TEST(LogProbability, SurvivesLargeAndInfiniteLogits) {
  const std::vector<float> large = {1e30f, 1e30f, -1e30f};
  EXPECT_NEAR(log_probability(large, 0), std::log(0.5), 1e-12);
  EXPECT_EQ(log_probability(large, 2), -2.0 * static_cast<double>(1e30f));
  const std::vector<float> odd = {kNan, -kInfinity, 1.0f, kInfinity};
  EXPECT_EQ(log_probability(odd, 0), -static_cast<double>(kInfinity));
  EXPECT_EQ(log_probability(odd, 1), -static_cast<double>(kInfinity));
  EXPECT_EQ(log_probability(odd, 2), -static_cast<double>(kInfinity));
  EXPECT_EQ(log_probability(odd, 3), 0.0);
}

TEST(LogProbability, TakesATemperature) {
  const auto logits = random_floats(3, 1000);
  for (const float temperature : {0.25f, 0.6f, 1.0f, 3.0f}) {
    double total = 0.0;
    const double t = static_cast<double>(temperature);
    for (const float v : logits) total += std::exp(static_cast<double>(v) / t);
    for (const int32_t token : {0, 1, 500, 999}) {
      EXPECT_NEAR(log_probability(logits, token, temperature),
                  static_cast<double>(logits[static_cast<size_t>(token)]) / t - std::log(total),
                  1e-11);
    }
  }
}

}  // namespace
}  // namespace ponder
