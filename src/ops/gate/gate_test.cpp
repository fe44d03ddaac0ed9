#include "ops/gate/gate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "ops/gate/gate_ref.hpp"
#include "testing/golden.hpp"
#include "testing/gradcheck.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::random_floats;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Routed {
  std::vector<int32_t> experts;  // (T, k)
  std::vector<float> weights;    // (T, k)

  bool operator==(const Routed&) const = default;
};

Routed run(const Context& context, const GateConfig& config, const std::vector<float>& logits,
           const std::vector<float>& bias = {}) {
  const auto tokens = std::ssize(logits) / config.experts;
  Routed routed;
  routed.experts.resize(static_cast<size_t>(tokens * config.chosen));
  routed.weights.resize(routed.experts.size());
  gate(context, {.config = &config,
                 .logits = logits.data(),
                 .bias = bias.empty() ? nullptr : bias.data(),
                 .experts = routed.experts.data(),
                 .weights = routed.weights.data(),
                 .tokens = tokens});
  return routed;
}

Routed run(const GateConfig& config, const std::vector<float>& logits,
           const std::vector<float>& bias = {}) {
  const Runtime runtime = testing::make_runtime(Isa::kRef);
  return run(runtime.context(), config, logits, bias);
}

GateConfig v3_config(int experts, int chosen, int groups, int kept) {
  return {.experts = experts,
          .chosen = chosen,
          .groups = groups,
          .groups_kept = kept,
          .score = GateScore::kSigmoid,
          .choice = GateChoice::kGroupTop2,
          .normalise = true,
          .scale = 2.5f};
}

// Router outputs of Hugging Face's models (tools/golden/gate.py).
TEST(Gate, ChoosesAsTheModelsDo) {
  const auto golden = testing::load_golden("tests/golden/ops/gate.safetensors");
  const std::pair<std::string, GateConfig> models[] = {
      {"deepseek_v2.", {.experts = 8, .chosen = 3}},
      {"deepseek_v2_full.",
       {.experts = 8,
        .chosen = 3,
        .groups = 4,
        .groups_kept = 2,
        .choice = GateChoice::kGroupMax,
        .scale = 4.0f}},
      {"deepseek_v3.", v3_config(8, 3, 4, 2)},
      {"deepseek_v3_fp8.", v3_config(4, 2, 2, 1)}};
  int layers = 0;
  for (const auto& [prefix, config] : models) {
    for (const auto& [name, tensor] : golden) {
      if (!name.starts_with(prefix) || !name.ends_with(".logits")) continue;
      const std::string layer = name.substr(0, name.size() - 6);
      const auto bias = golden.find(layer + "bias");
      const bool has_bias = bias != golden.end();
      EXPECT_EQ(has_bias, config.choice == GateChoice::kGroupTop2);
      const auto routed = run(config, tensor.values<float>(),
                              has_bias ? bias->second.values<float>() : std::vector<float>{});
      EXPECT_EQ(routed.experts, golden.at(layer + "experts").values<int32_t>()) << layer;
      EXPECT_LT(
          testing::max_relative_error(routed.weights, golden.at(layer + "weights").values<float>()),
          1e-6)
          << layer;
      ++layers;
    }
  }
  EXPECT_EQ(layers, 11);
}

TEST(Gate, TiesTakeTheLowerIndex) {
  const std::vector<float> equal(8, 0.5f);
  EXPECT_EQ(run({.experts = 8, .chosen = 3}, equal).experts, (std::vector<int32_t>{0, 1, 2}));
  EXPECT_EQ(run(v3_config(8, 3, 4, 2), equal).experts, (std::vector<int32_t>{0, 1, 2}));
  const std::vector<float> two = {0, 1, 0, 1, 0, 1, 0, 0};
  EXPECT_EQ(run({.experts = 8, .chosen = 2}, two).experts, (std::vector<int32_t>{1, 3}));
}

// A group wins by its two best experts in V3, by its best one in V2.
TEST(Gate, RanksGroups) {
  const std::vector<float> logits = {3.0f, -9.0f, 2.0f, 1.9f, -9.0f, -9.0f};  // groups of two
  auto config = v3_config(6, 2, 3, 1);
  EXPECT_EQ(run(config, logits).experts, (std::vector<int32_t>{2, 3}));
  config.choice = GateChoice::kGroupMax;
  EXPECT_EQ(run(config, logits).experts, (std::vector<int32_t>{0, 1}));
}

// In V3 an expert outside the kept groups is never chosen, even if all others score below 0.
TEST(Gate, NeverLeavesTheKeptGroups) {
  const std::vector<float> logits(8, -20.0f);
  const std::vector<float> bias = {-3.0f, -3.0f, -0.1f, -2.0f, -0.2f, -2.5f, -4.0f, -4.0f};
  const auto routed = run(v3_config(8, 3, 4, 2), logits, bias);
  EXPECT_EQ(routed.experts, (std::vector<int32_t>{2, 3, 4}));
}

// In V2 experts of other groups count as 0, so they follow if the kept groups are too small.
TEST(Gate, FillsUpWithZeroWeights) {
  const GateConfig config = {
      .experts = 6, .chosen = 3, .groups = 3, .groups_kept = 1, .choice = GateChoice::kGroupMax};
  const auto routed = run(config, {0.0f, 1.0f, 2.0f, 3.0f, 0.0f, 0.0f});
  EXPECT_EQ(routed.experts, (std::vector<int32_t>{0, 2, 3}));
  EXPECT_EQ(routed.weights[0], 0.0f);
  EXPECT_GT(routed.weights[1], 0.0f);
}

TEST(Gate, BiasChoosesButDoesNotWeigh) {
  const std::vector<float> logits = {1.0f, 0.0f, 2.0f, -1.0f};
  auto config = v3_config(4, 2, 1, 1);
  config.normalise = false;
  config.scale = 1.0f;
  const auto routed = run(config, logits, {0.0f, 0.0f, 0.0f, 10.0f});
  EXPECT_EQ(routed.experts, (std::vector<int32_t>{2, 3}));
  EXPECT_FLOAT_EQ(routed.weights[0], 1.0f / (1.0f + std::exp(-2.0f)));
  EXPECT_FLOAT_EQ(routed.weights[1], 1.0f / (1.0f + std::exp(1.0f)));
}

TEST(Gate, NormalisedWeightsSumToTheScale) {
  const auto logits = random_floats(1, 50 * 256);
  const auto routed = run(v3_config(256, 8, 8, 4), logits, random_floats(2, 256));
  for (auto w = routed.weights.begin(); w != routed.weights.end(); w += 8)
    EXPECT_NEAR(std::accumulate(w, w + 8, 0.0), 2.5, 1e-6);
}

// Whatever the numbers: k different experts in ascending order.
TEST(Gate, NanAndInfinityGiveValidExperts) {
  auto logits = random_floats(3, 64 * 16);
  for (size_t i = 0; i < 48 * 16; ++i) {
    const size_t token = i / 16;
    if (token == 0 || i % (token + 1) == 0) logits[i] = token % 3 == 0 ? kNan : -kInfinity;
    if (token % 5 == 4 && i % 7 == 0) logits[i] = kInfinity;
  }
  GateConfig config = v3_config(16, 4, 4, 2);
  for (const auto choice : {GateChoice::kGreedy, GateChoice::kGroupMax, GateChoice::kGroupTop2}) {
    for (const auto score : {GateScore::kSoftmax, GateScore::kSigmoid}) {
      config.choice = choice;
      config.score = score;
      const auto routed = run(config, logits);
      for (size_t i = 0; i < routed.experts.size(); ++i) {
        EXPECT_GE(routed.experts[i], 0);
        EXPECT_LT(routed.experts[i], 16);
        EXPECT_TRUE(i % 4 == 0 || routed.experts[i - 1] < routed.experts[i]);
      }
    }
  }
}

TEST(Gate, NanExpertLosesToNumbers) {
  const auto config = v3_config(4, 2, 1, 1);
  EXPECT_EQ(run(config, {kNan, -5.0f, kNan, -6.0f}).experts, (std::vector<int32_t>{1, 3}));
}

TEST(Gate, TokensTogetherEqualTokensAlone) {
  const GateConfig config = v3_config(64, 6, 8, 3);
  const auto logits = random_floats(4, 33 * 64), bias = random_floats(5, 64);
  const auto together = run(config, logits, bias);
  for (int t = 0; t < 33; ++t) {
    const auto alone = run(config, {logits.begin() + t * 64, logits.begin() + (t + 1) * 64}, bias);
    EXPECT_TRUE(
        std::equal(alone.experts.begin(), alone.experts.end(), together.experts.begin() + t * 6));
    EXPECT_TRUE(
        std::equal(alone.weights.begin(), alone.weights.end(), together.weights.begin() + t * 6));
  }
}

TEST(Gate, ThreadsAndInstructionSetsDoNotMatter) {
  const GateConfig config = v3_config(256, 8, 8, 4);
  const auto logits = random_floats(6, 65 * 256), bias = random_floats(7, 256);
  const auto expected = run(config, logits, bias);
  testing::expect_threads_do_not_matter([&](const Context& context) {
    auto routed = run(context, config, logits, bias);
    EXPECT_EQ(routed.experts, expected.experts);
    EXPECT_EQ(routed.weights, expected.weights);
    return routed;
  });
}

struct GateCase {
  GateConfig config;
  std::vector<float> logits, bias, dweights;
  Routed routed;
  int64_t tokens;

  GateCase(const GateConfig& of, int64_t count, bool biased) : config(of), tokens(count) {
    logits = random_floats(11, count * config.experts);
    if (biased) bias = random_floats(12, config.experts);
    for (float& b : bias) b *= 0.1f;
    dweights = random_floats(13, count * config.chosen);
    const Runtime runtime = testing::make_runtime(Isa::kRef);
    routed = run(runtime.context(), config, logits, bias);
  }
  GateArgs forward() {
    return {.config = &config,
            .logits = logits.data(),
            .bias = bias.empty() ? nullptr : bias.data(),
            .experts = routed.experts.data(),
            .weights = routed.weights.data(),
            .tokens = tokens};
  }
  std::vector<float> backward(const Context& context, float balance) {
    std::vector<float> dlogits(logits.size(), kNan);
    const GateArgs args = forward();
    gate_backward(context, {.forward = &args,
                            .dweights = dweights.data(),
                            .dlogits = dlogits.data(),
                            .balance = balance});
    return dlogits;
  }
  // Σ dw·w + balance·(balance loss), with the experts that were chosen, in f64.
  double loss(const std::vector<double>& at, double balance) const {
    std::vector<double> load(static_cast<size_t>(config.experts));
    for (const int32_t e : routed.experts) load[static_cast<size_t>(e)] += 1.0;
    double result = 0.0;
    for (int64_t t = 0; t < tokens; ++t) {
      std::vector<double> scores(static_cast<size_t>(config.experts));
      gate_scores(config, at.data() + t * config.experts, scores.data());
      double chosen = 0.0, all = 0.0;
      const auto weighs = [&](int64_t p) {  // not a zero of another group
        return routed.weights[static_cast<size_t>(p)] != 0.0f;
      };
      for (int64_t p = t * config.chosen; p < (t + 1) * config.chosen; ++p)
        if (weighs(p))
          chosen += scores[static_cast<size_t>(routed.experts[static_cast<size_t>(p)])];
      for (int64_t p = t * config.chosen; p < (t + 1) * config.chosen; ++p) {
        if (!weighs(p)) continue;
        const double s = scores[static_cast<size_t>(routed.experts[static_cast<size_t>(p)])];
        const double w = (config.normalise ? s / chosen : s) * static_cast<double>(config.scale);
        result += static_cast<double>(dweights[static_cast<size_t>(p)]) * w;
      }
      for (const double s : scores) all += s;
      for (size_t e = 0; e < scores.size(); ++e) {
        const double frequency =
            load[e] * config.experts / static_cast<double>(config.chosen * tokens);
        result += balance * frequency * scores[e] / all / static_cast<double>(tokens);
      }
    }
    return result;
  }
};

std::vector<GateCase> gate_cases() {
  auto normalised = v3_config(8, 3, 4, 2);
  return {{normalised, 5, true},
          {{.experts = 6, .chosen = 2, .scale = 1.5f}, 4, false},
          {{.experts = 6,
            .chosen = 3,
            .groups = 3,
            .groups_kept = 1,
            .choice = GateChoice::kGroupMax,
            .scale = 4.0f},
           6,
           false},
          {{.experts = 7, .chosen = 2, .normalise = true}, 3, false}};
}

TEST(GateBackward, IsTheGradientOfWeightsAndBalance) {
  testing::for_each_isa(2, [](const Context& context) {
    for (GateCase& c : gate_cases()) {
      for (const float balance : {0.0f, 3.0f}) {
        const auto loss = [&](const std::vector<double>& at) {
          return c.loss(at, static_cast<double>(balance));
        };
        EXPECT_LT(testing::gradient_error(c.backward(context, balance), loss,
                                          testing::convert<double>(c.logits)),
                  2e-6)
            << c.config.experts << " " << balance;
      }
    }
  });
}

TEST(GateBackward, BalanceLossIsOneWhenAllIsEven) {
  const GateConfig config = {.experts = 4, .chosen = 2};
  const std::vector<float> logits(4 * 4, 0.3f);
  Routed routed{{0, 1, 2, 3, 0, 2, 1, 3}, std::vector<float>(8)};
  const GateArgs args{.config = &config,
                      .logits = logits.data(),
                      .experts = routed.experts.data(),
                      .weights = routed.weights.data(),
                      .tokens = 4};
  EXPECT_NEAR(balance_loss(args), 1.0, 1e-12);
  GateCase c = std::move(gate_cases()[0]);
  const std::vector<double> at(c.logits.begin(), c.logits.end());
  EXPECT_NEAR(balance_loss(c.forward()), c.loss(at, 1.0) - c.loss(at, 0.0), 1e-12);
}

TEST(GateBias, MovesAgainstTheLoad) {
  std::vector<float> bias = {0.5f, 0.5f, 0.5f, 0.5f};
  update_gate_bias(bias, std::vector<int64_t>{10, 4, 6, 4}, 0.25f);  // mean 6
  EXPECT_EQ(bias, (std::vector<float>{0.25f, 0.75f, 0.5f, 0.75f}));
}

}  // namespace
}  // namespace ponder
