#include "ops/xent/xent.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ops/sample/sample.hpp"
#include "ops/xent/xent_ref.hpp"
#include "testing/gradcheck.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::for_each_isa;
using testing::random_floats;

struct Case {
  int64_t rows, vocabulary;
  float temperature;
  std::vector<float> logits, gradient;
  std::vector<int32_t> targets;

  Case(int64_t r, int64_t v, float t) : rows(r), vocabulary(v), temperature(t) {
    logits = random_floats(1, rows * vocabulary);
    for (float& x : logits) x *= 3.0f;
    gradient = random_floats(2, rows);
    for (int64_t i = 0; i < rows; ++i) targets.push_back(static_cast<int32_t>(i * 7 % vocabulary));
  }
};

struct Scores {
  std::vector<float> log_probability, entropy;

  bool operator==(const Scores&) const = default;
};

Scores run(const Context& context, const Case& c) {
  Scores scores{std::vector<float>(c.targets.size()), std::vector<float>(c.targets.size())};
  xent(context, {.logits = c.logits.data(),
                 .targets = c.targets.data(),
                 .rows = c.rows,
                 .vocabulary = c.vocabulary,
                 .temperature = c.temperature,
                 .log_probability = scores.log_probability.data(),
                 .entropy = scores.entropy.data()});
  return scores;
}

std::vector<float> run_backward(const Context& context, const Case& c, const Scores& scores) {
  auto dlogits = c.logits;  // in place
  xent_backward(context, {.logits = dlogits.data(),
                          .targets = c.targets.data(),
                          .rows = c.rows,
                          .vocabulary = c.vocabulary,
                          .temperature = c.temperature,
                          .log_probability = scores.log_probability.data(),
                          .dlog_probability = c.gradient.data(),
                          .dlogits = dlogits.data()});
  return dlogits;
}

TEST(Xent, GivesTheSamplersBits) {
  for_each_isa(2, [](const Context& context) {
    for (const float temperature : {0.6f, 1.0f, 1.7f}) {
      const Case c(9, 1001, temperature);
      const Scores scores = run(context, c);
      for (int64_t r = 0; r < c.rows; ++r) {
        const std::span<const float> row(c.logits.data() + r * c.vocabulary,
                                         static_cast<size_t>(c.vocabulary));
        const auto at = static_cast<size_t>(r);
        EXPECT_EQ(scores.log_probability[at],
                  static_cast<float>(log_probability(row, c.targets[at], temperature)));
      }
    }
  });
}

TEST(Xent, EntropyIsTheMeanSurprise) {
  const Runtime runtime = testing::make_runtime(Isa::kRef);
  Case c(3, 50, 0.8f);
  c.logits[60] = -std::numeric_limits<float>::infinity();
  const Scores scores = run(runtime.context(), c);
  for (int64_t r = 0; r < c.rows; ++r) {
    const std::span<const float> row(c.logits.data() + r * 50, 50);
    double entropy = 0.0;
    for (int32_t i = 0; i < 50; ++i) {
      const double logp = log_probability(row, i, c.temperature);
      if (std::isfinite(logp)) entropy -= std::exp(logp) * logp;
    }
    EXPECT_NEAR(static_cast<double>(scores.entropy[static_cast<size_t>(r)]), entropy, 1e-6);
  }
}

TEST(Xent, BackwardIsTheGradient) {
  for_each_isa(2, [](const Context& context) {
    for (const int64_t vocabulary : {1, 3, 17, 63, 126}) {
      for (const float temperature : {0.6f, 1.0f, 2.0f}) {
        const Case c(4, vocabulary, temperature);
        const auto loss = [&](const std::vector<double>& logits) {
          double sum = 0.0;
          for (int64_t r = 0; r < c.rows; ++r) {
            const auto at = static_cast<size_t>(r);
            sum += static_cast<double>(c.gradient[at]) *
                   log_probability_of(logits.data() + r * vocabulary, vocabulary, c.targets[at],
                                      static_cast<double>(temperature));
          }
          return sum;
        };
        const auto dlogits = run_backward(context, c, run(context, c));
        const auto expected = testing::finite_differences(loss, testing::convert<double>(c.logits));
        for (size_t i = 0; i < dlogits.size(); ++i)
          EXPECT_NEAR(static_cast<double>(dlogits[i]), expected[i], 3e-6) << vocabulary;
      }
    }
  });
}

TEST(Xent, ThreadsDoNotMatter) {
  const Case c(37, 3001, 0.7f);
  testing::expect_threads_do_not_matter([&](const Context& context) {
    const Scores scores = run(context, c);
    return std::pair(scores, run_backward(context, c, scores));
  });
}

TEST(Xent, SurvivesExtremeLogits) {
  for_each_isa(1, [](const Context& context) {
    Case c(2, 20, 1.0f);
    for (size_t i = 0; i < 20; ++i) c.logits[i] = i == 3 ? 1e30f : -1e30f;
    c.logits[25] = -std::numeric_limits<float>::infinity();
    c.targets = {3, 0};
    const Scores scores = run(context, c);
    EXPECT_EQ(scores.log_probability[0], 0.0f);
    EXPECT_NEAR(scores.entropy[0], 0.0f, 1e-7f);
    const auto dlogits = run_backward(context, c, scores);
    for (size_t i = 0; i < 20; ++i) EXPECT_NEAR(dlogits[i], 0.0f, 1e-6f);
    EXPECT_EQ(dlogits[25], 0.0f);
    for (const float v : dlogits) EXPECT_TRUE(std::isfinite(v));
  });
}

}  // namespace
}  // namespace ponder
