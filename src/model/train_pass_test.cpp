// Training passes against the gradients and losses of Hugging Face transformers (model-spec §17),
// against finite differences where there are none, and bit for bit against forward_batch().
#include <gmock/gmock.h>

#include <array>
#include <cmath>

#include "model/model_testing.hpp"
#include "model/trainable.hpp"
#include "ops/adamw/adamw.hpp"
#include "ops/xent/xent.hpp"
#include "testing/numbers.hpp"

namespace ponder::testing {
namespace {

// The reference's own noise is 1e-5 of a tensor's maximum (model-spec §17).
constexpr double kGradientTolerance = 1e-4;

std::unique_ptr<TrainableModel> open_trainable(const std::string& name, const Context& context,
                                               const TrainableOptions& options = {}) {
  auto opened = TrainableModel::open(kModels + name, context, options);
  if (!opened.ok()) ADD_FAILURE() << opened.error().message();
  return std::move(opened).take_value();
}

std::vector<int32_t> tokens_of(const std::string& name) {
  return load_golden(kModels + name + "/expected.safetensors").at("tokens").values<int32_t>();
}

// What a pass gives for mean cross-entropy, or for Σ rows weight·log p if weights are given.
struct Outcome {
  double loss = 0.0;
  std::vector<float> log_probability, entropy, gradients;
  PassStats stats;
};

struct PassCase {
  std::vector<std::vector<int32_t>> sequences;
  PassOptions options = {};
  std::vector<float> weights = {};  // of rows; empty: −1/rows
  bool backward = true;
};

Outcome run_pass(const Context& context, TrainableModel& model, const PassCase& pass) {
  Outcome result;
  std::vector<TrainSequence> sequences;
  for (const auto& tokens : pass.sequences) sequences.push_back({tokens});
  if (pass.backward) result.gradients.resize(static_cast<size_t>(model.gradient_size()));
  const auto loss = [&](const RowScores& scores, std::span<float> gradient) {
    result.log_probability.assign(scores.log_probability.begin(), scores.log_probability.end());
    result.entropy.assign(scores.entropy.begin(), scores.entropy.end());
    for (size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] =
          pass.weights.empty() ? -1.0f / static_cast<float>(gradient.size()) : pass.weights[i];
      result.loss +=
          static_cast<double>(gradient[i]) * static_cast<double>(scores.log_probability[i]);
    }
  };
  auto stats = train_pass(context, model, sequences, pass.options, loss, result.gradients);
  if (!stats.ok()) ADD_FAILURE() << stats.error().message();
  result.stats = std::move(stats).take_value();
  return result;
}

class TrainPass : public ::testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(AllIsas, TrainPass, ::testing::ValuesIn(available_isas()));

class TrainVectors : public ::testing::TestWithParam<std::tuple<Isa, std::string>> {};
INSTANTIATE_TEST_SUITE_P(AllIsas, TrainVectors,
                         ::testing::Combine(::testing::ValuesIn(available_isas()),
                                            ::testing::Values("deepseek_v3-s1", "deepseek_v2-s1",
                                                              "qwen2-s1")));

std::vector<float> checkpoint_gradient(const TrainableModel& model, const ParamSlot& slot,
                                       const std::vector<float>& gradients) {
  return model.to_checkpoint(
      slot, std::span(gradients).subspan(static_cast<size_t>(slot.offset), slot.values.size()));
}

// (h·(dn + dv), rk) from the halves, as the checkpoint has it.
std::vector<float> join_halves(const AttentionConfig& a, const std::vector<float>& keys,
                               const std::vector<float>& values) {
  const auto dn = static_cast<size_t>(a.mla->nope_dim), dv = static_cast<size_t>(a.mla->value_dim);
  const auto rk = static_cast<size_t>(a.mla->kv_rank);
  std::vector<float> whole;
  for (size_t head = 0; head < static_cast<size_t>(a.heads); ++head) {
    for (size_t i = 0; i < dn; ++i)
      for (size_t c = 0; c < rk; ++c) whole.push_back(keys[(head * rk + c) * dn + i]);
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(head * dv * rk);
    whole.insert(whole.end(), from, from + static_cast<std::ptrdiff_t>(dv * rk));
  }
  return whole;
}

// Of every tensor of the checkpoint: its gradient.
std::map<std::string, std::vector<float>> by_checkpoint_name(const TrainableModel& model,
                                                             const std::vector<float>& gradients) {
  std::map<std::string, std::vector<float>> named;
  for (const ParamSlot& slot : model.slots()) {
    if (!slot.trained) continue;
    const std::vector<float> values = checkpoint_gradient(model, slot, gradients);
    if (slot.info.is_experts()) {
      const auto size = static_cast<std::ptrdiff_t>(values.size()) / slot.shape[0];
      for (int64_t e = 0; e < slot.shape[0]; ++e)
        named[hf_name(slot.info, e)] = {values.begin() + e * size, values.begin() + (e + 1) * size};
    } else if (slot.part == ParamPart::kValues) {
      auto& whole = named[hf_name(slot.info)];  // the keys came before
      whole = join_halves(model.model().config().attention, whole, values);
    } else {
      named[hf_name(slot.info)] = values;
    }
  }
  return named;
}

TEST_P(TrainVectors, GradientsAreThoseOfTheReference) {
  const auto& [isa, name] = GetParam();
  const Runtime runtime = make_runtime(isa);
  const auto model = open_trainable(name, runtime.context());
  const auto expected = load_golden(kModels + name + "/grads.safetensors");
  for (const bool recompute : {true, false}) {
    const Outcome outcome =
        run_pass(runtime.context(), *model, {{tokens_of(name)}, {.recompute = recompute}});
    EXPECT_NEAR(outcome.loss, expected.at("loss").values<float>()[0], 1e-4);
    const auto named = by_checkpoint_name(*model, outcome.gradients);
    EXPECT_EQ(named.size() + 1, expected.size());
    for (const auto& [key, gradient] : named) {
      SCOPED_TRACE(key);
      ASSERT_EQ(expected.count("grad." + key), 1u);
      EXPECT_LE(max_relative_error(gradient, expected.at("grad." + key).values<float>()),
                kGradientTolerance);
    }
  }
}

// Losses before each step: lr 1e-3, β 0.9, 0.95, ε 1e-8, decay 0.1 on everything, clip 1
// (meta.json of the vectors).
TEST_P(TrainVectors, TenStepsOfAdamWGiveTheLossesOfTheReference) {
  const std::map<std::string, std::array<double, 10>> kLosses = {
      {"deepseek_v3-s1",
       {9.06909465789795, 5.892147064208984, 3.8880348205566406, 2.1993839740753174,
        1.4692853689193726, 0.7051092386245728, 0.4272651672363281, 0.21738192439079285,
        0.09308965504169464, 0.04290871322154999}},
      {"deepseek_v2-s1",
       {9.239408493041992, 6.001073360443115, 3.805706739425659, 2.2910120487213135,
        1.3666107654571533, 0.7839069962501526, 0.39735671877861023, 0.17838458716869354,
        0.0778842493891716, 0.03560899570584297}},
      {"qwen2-s1",
       {8.869095802307129, 5.92391300201416, 3.947584867477417, 2.534278631210327,
        1.5171051025390625, 0.8156751990318298, 0.3858872354030609, 0.16380669176578522,
        0.0708128958940506, 0.036108896136283875}}};
  const auto& [isa, name] = GetParam();
  const Runtime runtime = make_runtime(isa);
  const auto model = open_trainable(name, runtime.context());
  const std::vector<int32_t> tokens = tokens_of(name);
  std::vector<float> m(static_cast<size_t>(model->gradient_size())), v(m.size());
  for (int64_t step = 1; step <= 10; ++step) {
    const Outcome outcome = run_pass(runtime.context(), *model, {{tokens}});
    EXPECT_NEAR(outcome.loss, kLosses.at(name)[static_cast<size_t>(step - 1)], 1e-4) << step;
    const double squares = sum_of_squares(runtime.context(), outcome.gradients);
    for (ParamSlot& slot : model->slots()) {
      if (!slot.trained) continue;
      adamw(runtime.context(), {.options = {.learning_rate = 1e-3f, .weight_decay = 0.1f},
                                .values = slot.values.data(),
                                .gradients = outcome.gradients.data() + slot.offset,
                                .m = m.data() + slot.offset,
                                .v = v.data() + slot.offset,
                                .count = std::ssize(slot.values),
                                .step = step,
                                .clip = clip_factor(std::sqrt(squares), 1.0)});
    }
  }
}

// Moves each parameter along its gradient by `step` of its norm, both ways: the loss must change by
// the gradient's length. `loss` of an outcome is what its gradient is of.
template <typename Loss>
void expect_slope(const Context& context, TrainableModel& model, const PassCase& pass, Loss&& loss,
                  double relative_step) {
  const Outcome at = run_pass(context, model, pass);
  for (ParamSlot& slot : model.slots()) {
    if (!slot.trained) continue;
    SCOPED_TRACE(slot.name);
    const std::span<const float> gradient =
        std::span(at.gradients).subspan(static_cast<size_t>(slot.offset), slot.values.size());
    const double length = norm(std::vector<float>(gradient.begin(), gradient.end()));
    if (length == 0.0) continue;
    const std::vector<float> before(slot.values.begin(), slot.values.end());
    const double size = norm(before), step = relative_step * (size > 0.0 ? size : 1.0);
    const auto moved = [&](double by) {
      for (size_t i = 0; i < before.size(); ++i)
        slot.values[i] =
            before[i] + static_cast<float>(by * static_cast<double>(gradient[i]) / length);
      PassCase forward = pass;
      forward.backward = false;
      const double value = loss(run_pass(context, model, forward));
      std::copy(before.begin(), before.end(), slot.values.begin());
      return value;
    };
    EXPECT_NEAR((moved(step) - moved(-step)) / (2 * step), length, 2e-2 * length + 5e-4);
  }
}

std::vector<std::vector<int32_t>> three_sequences() {
  std::vector<std::vector<int32_t>> sequences(3);
  Rng rng(7);
  for (size_t i = 0; i < 3; ++i) {
    for (size_t t = 0; t < 5 + 17 * i; ++t)
      sequences[i].push_back(static_cast<int32_t>(rng.next_below(250)));
  }
  return sequences;
}

TEST_P(TrainPass, GradientsAreSlopes) {
  const Runtime runtime = make_runtime(GetParam());
  for (const std::string name : {"qwen3-s1", "llama3-s1", "llama3-s1.f32.gguf"}) {
    SCOPED_TRACE(name);
    const auto model = open_trainable(name, runtime.context());
    const PassCase pass{three_sequences(), {.temperature = 1.5f}};
    expect_slope(
        runtime.context(), *model, pass, [](const Outcome& o) { return o.loss; }, 1e-3);
  }
}

// Small steps, and tokens whose routing is not near a tie: where other experts are chosen the loss
// jumps.
TEST_P(TrainPass, MtpGradientsAreSlopes) {
  const Runtime runtime = make_runtime(GetParam());
  const auto model = open_trainable("deepseek_v3-s1", runtime.context(), {.mtp = true});
  const PassCase pass{{tokens_of("deepseek_v3-s1")}, {.mtp_weight = 0.3f}};
  const auto loss = [](const Outcome& o) { return o.loss + 0.3 * o.stats.mtp_loss; };
  expect_slope(runtime.context(), *model, pass, loss, 5e-5);
}

TEST_P(TrainPass, BalanceGradientsAreSlopes) {
  const Runtime runtime = make_runtime(GetParam());
  for (const std::string name : {"deepseek_v3-s1", "deepseek_v2-s1"}) {
    const auto model = open_trainable(name, runtime.context());
    const std::vector<int32_t> tokens = tokens_of(name);
    const std::vector<int32_t> start(tokens.begin(), tokens.begin() + 20);
    const PassCase pass{{tokens, start}, {.balance_weight = 10.0f}};
    const auto loss = [](const Outcome& o) { return o.loss + 10.0 * o.stats.balance_loss; };
    expect_slope(runtime.context(), *model, pass, loss, 5e-5);
  }
}

}  // namespace
}  // namespace ponder::testing
