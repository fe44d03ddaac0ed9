// The losses against numbers worked out by hand, and their derivatives against differences of the
// losses written out once more.
#include "train/rl/objective.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/rng.hpp"
#include "train/rl/algorithm.hpp"

namespace ponder {
namespace {

struct Answer {
  std::vector<float> now, sampled, reference;
  std::vector<double> advantage;
  SampledRows rows(double weight = 1.0) const {
    return {now, sampled, reference, advantage, weight};
  }
};

// Ratios that fall inside and outside of every clip.
Answer random_answer(uint64_t seed, size_t rows, double spread) {
  Rng rng(seed);
  Answer answer;
  for (size_t i = 0; i < rows; ++i) {
    const double o = -0.1 - 3.0 * rng.next_double();
    answer.sampled.push_back(static_cast<float>(o));
    answer.now.push_back(static_cast<float>(o + spread * (2.0 * rng.next_double() - 1.0)));
    answer.reference.push_back(static_cast<float>(o + 2.0 * rng.next_double() - 1.0));
    answer.advantage.push_back(2.0 * rng.next_double() - 1.0);
  }
  return answer;
}

double clip(double x, const ObjectiveOptions& o) {
  return std::min(std::max(x, 1.0 - o.clip_low), 1.0 + o.clip_high);
}

// The loss as the papers write it, of log-probabilities in double. Weights that an algorithm holds
// fixed are those of `fixed`.
double written_out(const ObjectiveOptions& o, const Answer& a, const std::vector<double>& now,
                   const std::vector<double>& fixed, double weight) {
  double mean = 0.0, loss = 0.0;
  for (size_t i = 0; i < now.size(); ++i)
    mean += (now[i] - static_cast<double>(a.sampled[i])) / static_cast<double>(now.size());
  for (size_t i = 0; i < now.size(); ++i) {
    const double old = static_cast<double>(a.sampled[i]), A = a.advantage[i];
    const double d = now[i] - static_cast<double>(a.reference[i]);
    double ratio = std::exp(now[i] - old);
    double term = 0.0;
    switch (o.surrogate) {
      case Surrogate::kSequence:
        ratio = std::exp(mean);
        [[fallthrough]];
      case Surrogate::kClipped:
        term = -std::min(ratio * A, clip(ratio, o) * A);
        break;
      case Surrogate::kWeighted:
        term = -clip(std::exp(fixed[i] - old), o) * A * now[i];
        break;
      case Surrogate::kPlain:
        term = -A * now[i];
        break;
    }
    const double kls[] = {0.0, d, d * d / 2.0, std::exp(-d) + d - 1.0};
    loss += weight * (term + o.kl_weight * kls[static_cast<int>(o.kl)]);
  }
  return loss;
}

void expect_derivative(const ObjectiveOptions& options, double spread) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const Answer answer = random_answer(seed, 1 + seed * 3, spread);
    const double weight = 0.25;
    std::vector<float> gradient(answer.now.size());
    const ObjectiveSums sums = objective(options, answer.rows(weight), gradient);
    const std::vector<double> now(answer.now.begin(), answer.now.end());
    EXPECT_NEAR(sums.loss, written_out(options, answer, now, now, weight), 1e-9);
    for (size_t i = 0; i < now.size(); ++i) {
      constexpr double kStep = 1e-6;
      auto more = now, less = now;
      more[i] += kStep;
      less[i] -= kStep;
      const double slope = (written_out(options, answer, more, now, weight) -
                            written_out(options, answer, less, now, weight)) /
                           (2.0 * kStep);
      EXPECT_NEAR(static_cast<double>(gradient[i]), slope, 1e-5) << "row " << i;
    }
  }
}

TEST(Objective, DerivativesAreThoseOfTheLosses) {
  for (const auto surrogate :
       {Surrogate::kClipped, Surrogate::kSequence, Surrogate::kWeighted, Surrogate::kPlain}) {
    for (const auto kl : {KlKind::kNone, KlKind::kK1, KlKind::kK2, KlKind::kK3}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(surrogate)) + " with KL " +
                   std::to_string(static_cast<int>(kl)));
      const ObjectiveOptions options{
          .surrogate = surrogate, .clip_low = 0.2, .clip_high = 0.28, .kl = kl, .kl_weight = 0.3};
      expect_derivative(options, 0.6);
    }
  }
}

TEST(Objective, DerivativesOfEveryNamedAlgorithm) {
  for (const char* name : {"grpo", "dr_grpo", "dapo", "gspo", "cispo", "rloo", "reinforce++"}) {
    SCOPED_TRACE(name);
    const auto algorithm = algorithm_by_name(name, 64);
    ASSERT_TRUE(algorithm.ok());
    expect_derivative(algorithm.value().objective, name == std::string("gspo") ? 0.0 : 2.0);
  }
  EXPECT_FALSE(algorithm_by_name("ppo", 64).ok());
}

// ρ = e^0.1 = 1.10517 is inside of 1.2, ρ = e^0.3 = 1.34986 is not; with a negative advantage it is
// the lower bound 0.8 that counts.
TEST(Objective, ClipsAsPpoDoes) {
  const ObjectiveOptions options;
  const Answer answer{.now = {-0.9f, -0.7f, -0.7f, -1.3f, -1.3f},
                      .sampled = {-1, -1, -1, -1, -1},
                      .reference = {},
                      .advantage = {2.0, 2.0, -2.0, -2.0, 2.0}};
  std::vector<float> gradient(5);
  const ObjectiveSums sums = objective(options, answer.rows(), gradient);
  EXPECT_NEAR(gradient[0], -2.210342, 1e-5);
  EXPECT_EQ(gradient[1], 0.0f);
  EXPECT_NEAR(gradient[2], 2.699718, 1e-5);
  EXPECT_EQ(gradient[3], 0.0f);
  EXPECT_NEAR(gradient[4], -1.481636, 1e-5);
  // −2.210342 − 2.4 + 2.699718 + 1.6 − 1.481636
  EXPECT_NEAR(sums.loss, -1.792260, 1e-5);
  EXPECT_EQ(sums.clipped, 2);
  EXPECT_EQ(sums.rows, 5);
  EXPECT_NEAR(sums.ratio_error, 0.3, 1e-6);
}

// On the policy itself every algorithm but CISPO's logarithm has loss −A and slope −A.
TEST(Objective, OnPolicyTheSlopeIsTheAdvantage) {
  for (const auto surrogate :
       {Surrogate::kClipped, Surrogate::kSequence, Surrogate::kWeighted, Surrogate::kPlain}) {
    const Answer answer{.now = {-1.5f, -0.25f},
                        .sampled = {-1.5f, -0.25f},
                        .reference = {},
                        .advantage = {0.5, 0.5}};
    std::vector<float> gradient(2);
    const ObjectiveSums sums = objective({.surrogate = surrogate}, answer.rows(0.5), gradient);
    EXPECT_EQ(gradient[0], -0.25f);
    EXPECT_EQ(gradient[1], -0.25f);
    EXPECT_EQ(sums.ratio_error, 0.0);
    EXPECT_EQ(sums.change, 0.0);
    EXPECT_EQ(sums.clipped, 0);
  }
}

// d = ℓ − r = 0.5: k1 0.5, k2 0.125, k3 e^−0.5 + 0.5 − 1 = 0.106531.
TEST(Objective, KindsOfKl) {
  const Answer answer{.now = {-1.0f}, .sampled = {-1.0f}, .reference = {-1.5f}, .advantage = {0.0}};
  const double losses[] = {0.5, 0.125, 0.106531}, slopes[] = {1.0, 0.5, 0.393469};
  const KlKind kinds[] = {KlKind::kK1, KlKind::kK2, KlKind::kK3};
  for (int i = 0; i < 3; ++i) {
    std::vector<float> gradient(1);
    const auto sums = objective({.kl = kinds[i], .kl_weight = 2.0}, answer.rows(), gradient);
    EXPECT_NEAR(sums.loss, 2.0 * losses[i], 1e-5);
    EXPECT_NEAR(gradient[0], 2.0 * slopes[i], 1e-5);
    EXPECT_NEAR(sums.kl, 0.106531, 1e-5);
  }
}

TEST(Objective, ExtremeRatiosStayFinite) {
  const Answer answer{.now = {-0.1f, -300.0f, -90.0f},
                      .sampled = {-200.0f, -0.1f, -90.0f},
                      .reference = {-200.0f, -0.1f, -0.1f},
                      .advantage = {-1.0, 1.0, 1.0}};
  for (const auto surrogate :
       {Surrogate::kClipped, Surrogate::kSequence, Surrogate::kWeighted, Surrogate::kPlain}) {
    std::vector<float> gradient(3);
    const auto sums = objective({.surrogate = surrogate, .kl = KlKind::kK3, .kl_weight = 1.0},
                                answer.rows(), gradient);
    EXPECT_TRUE(std::isfinite(sums.loss));
    for (const float value : gradient) EXPECT_TRUE(std::isfinite(value));
  }
}

TEST(RowWeights, AreThoseOfEachAggregation) {
  const std::vector<int64_t> rows = {4, 1, 0};
  EXPECT_EQ(row_weights(rows, Aggregation::kToken, 0), (std::vector<double>{0.2, 0.2, 0.0}));
  EXPECT_EQ(row_weights(rows, Aggregation::kSequence, 0),
            (std::vector<double>{1.0 / 12.0, 1.0 / 3.0, 0.0}));
  EXPECT_EQ(row_weights(rows, Aggregation::kConstant, 10.0),
            (std::vector<double>{1.0 / 30.0, 1.0 / 30.0, 0.0}));
}

TEST(Names, UnknownOnesAreRefused) {
  EXPECT_EQ(kl_kind_by_name("k3").value(), KlKind::kK3);
  EXPECT_EQ(aggregation_by_name("constant").value(), Aggregation::kConstant);
  EXPECT_EQ(surrogate_by_name("weighted").value(), Surrogate::kWeighted);
  EXPECT_FALSE(kl_kind_by_name("k4").ok());
  EXPECT_FALSE(aggregation_by_name("").ok());
  EXPECT_FALSE(surrogate_by_name("Clipped").ok());
}

}  // namespace
}  // namespace ponder
