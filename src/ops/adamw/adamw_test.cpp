#include "ops/adamw/adamw.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::random_floats;

constexpr AdamwOptions kOptions = {.learning_rate = 1e-2f, .weight_decay = 0.1f};

// Values, m and v after some steps, one after the other.
std::vector<float> run(const Context& context, int64_t count, int steps, float clip = 1.0f) {
  auto values = random_floats(1, count);
  std::vector<float> m(values.size()), v(values.size());
  for (int step = 1; step <= steps; ++step) {
    const auto gradients = random_floats(static_cast<uint64_t>(100 + step), count);
    adamw(context, {.options = kOptions,
                    .values = values.data(),
                    .gradients = gradients.data(),
                    .m = m.data(),
                    .v = v.data(),
                    .count = count,
                    .step = step,
                    .clip = clip});
  }
  values.insert(values.end(), m.begin(), m.end());
  values.insert(values.end(), v.begin(), v.end());
  return values;
}

// The formula as the paper has it, in f64.
TEST(Adamw, FollowsTheFormula) {
  const int64_t count = 37;
  const double clip = 0.5, rate = 1e-2, decay = 0.1, beta1 = 0.9, beta2 = 0.95;
  const auto start = random_floats(1, count);
  std::vector<double> values(start.begin(), start.end()), m(values.size()), v(values.size());
  for (int step = 1; step <= 4; ++step) {
    const auto gradients = random_floats(static_cast<uint64_t>(100 + step), count);
    for (size_t i = 0; i < values.size(); ++i) {
      const double g = static_cast<double>(gradients[i]) * clip;
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      const double m_hat = m[i] / (1 - std::pow(beta1, step));
      const double v_hat = v[i] / (1 - std::pow(beta2, step));
      values[i] -= rate * decay * values[i];
      values[i] -= rate * m_hat / (std::sqrt(v_hat) + 1e-8);
    }
  }
  testing::for_each_isa(2, [&](const Context& context) {
    const auto all = run(context, count, 4, 0.5f);
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(static_cast<double>(all[i]), values[i], 1e-6);
  });
}

TEST(Adamw, EveryInstructionSetGivesTheSameBits) {
  const auto expected = run(testing::make_runtime(Isa::kRef).context(), 10007, 3);
  testing::for_each_isa(
      1, [&](const Context& context) { EXPECT_EQ(run(context, 10007, 3), expected); });
}

TEST(Adamw, ThreadsDoNotMatter) {
  testing::expect_threads_do_not_matter(
      [](const Context& context) { return run(context, 50001, 2); });
}

TEST(Adamw, PaddingStaysZero) {
  testing::for_each_isa(1, [](const Context& context) {
    std::vector<float> values(19), gradients(19), m(19), v(19);
    for (int step = 1; step <= 3; ++step)
      adamw(context, {.options = kOptions,
                      .values = values.data(),
                      .gradients = gradients.data(),
                      .m = m.data(),
                      .v = v.data(),
                      .count = 19,
                      .step = step});
    EXPECT_EQ(values, std::vector<float>(19));
  });
}

TEST(SumOfSquares, IsExactEnoughAndTheSameOnAllThreads) {
  for (const int64_t count : {0, 1, 7, 9, 16384, 100003}) {
    const auto values = random_floats(3, count);
    double expected = 0.0;
    for (const float v : values) expected += static_cast<double>(v) * static_cast<double>(v);
    testing::expect_threads_do_not_matter([&](const Context& context) {
      const double sum = sum_of_squares(context, values);
      EXPECT_NEAR(sum, expected, 1e-12 * expected);
      return sum;
    });
  }
}

TEST(ClipFactor, LimitsTheNorm) {
  EXPECT_EQ(clip_factor(0.5, 1.0), 1.0f);
  EXPECT_NEAR(clip_factor(4.0, 1.0), 0.25f, 1e-6f);
  EXPECT_EQ(clip_factor(4.0, 0.0), 1.0f);
}

}  // namespace
}  // namespace ponder
