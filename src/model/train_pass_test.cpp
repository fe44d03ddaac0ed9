// Training passes against the gradients and losses of Hugging Face transformers (model-spec §17),
// against finite differences where there are none, and bit for bit against forward_batch().
#include <gmock/gmock.h>

#include <array>
#include <cmath>

#include "model/model_testing.hpp"
#include "model/trainable.hpp"
#include "ops/adamw/adamw.hpp"
#include "ops/sample/sample.hpp"
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
  std::vector<int64_t> prefixes = {};  // of sequences; empty: none
};

Outcome run_pass(const Context& context, TrainableModel& model, const PassCase& pass) {
  Outcome result;
  std::vector<TrainSequence> sequences;
  for (const auto& tokens : pass.sequences) {
    const int64_t prefix = pass.prefixes.empty() ? -1 : pass.prefixes[sequences.size()];
    sequences.push_back({.tokens = tokens, .prefix = prefix});
  }
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

// Of every tensor of the checkpoint: its gradient.
std::map<std::string, std::vector<float>> by_checkpoint_name(const TrainableModel& model,
                                                             const std::vector<float>& gradients) {
  std::map<std::string, std::vector<float>> named;
  for (const ParamInfo& info : list_params(model.model().config())) {
    if (info.kind == ParamKind::kRouterBias) continue;
    const std::vector<float> values = model.checkpoint_values(info, gradients);
    const int64_t experts = info.is_experts() ? info.shape[0] : 1;
    const auto size = static_cast<std::ptrdiff_t>(values.size()) / experts;
    for (int64_t e = 0; e < experts; ++e)
      named[hf_name(info, e)] = {values.begin() + e * size, values.begin() + (e + 1) * size};
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

TEST(TrainPassSlopes, AreTheGradients) {
  const Runtime runtime = make_runtime(available_isas().back());
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
TEST(TrainPassSlopes, AreTheGradientsOfMtp) {
  const Runtime runtime = make_runtime(available_isas().back());
  const auto model = open_trainable("deepseek_v3-s1", runtime.context(), {.mtp = true});
  const PassCase pass{{tokens_of("deepseek_v3-s1")}, {.mtp_weight = 0.3f}};
  const auto loss = [](const Outcome& o) { return o.loss + 0.3 * o.stats.mtp_loss; };
  expect_slope(runtime.context(), *model, pass, loss, 5e-5);
}

TEST(TrainPassSlopes, AreTheGradientsOfBalance) {
  const Runtime runtime = make_runtime(available_isas().back());
  for (const std::string name : {"deepseek_v3-s1", "deepseek_v2-s1"}) {
    const auto model = open_trainable(name, runtime.context());
    const std::vector<int32_t> tokens = tokens_of(name);
    const std::vector<int32_t> start(tokens.begin(), tokens.begin() + 20);
    const PassCase pass{{tokens, start}, {.balance_weight = 10.0f}};
    const auto loss = [](const Outcome& o) { return o.loss + 10.0 * o.stats.balance_loss; };
    expect_slope(runtime.context(), *model, pass, loss, 5e-5);
  }
}

// Scores of each sequence alone, by forward_batch() over a cache of f32 cut into calls.
std::vector<float> scores_by_forward(const Context& context, const Model& model,
                                     const std::vector<std::vector<int32_t>>& sequences,
                                     float temperature) {
  std::vector<float> scores;
  const auto vocab = static_cast<size_t>(model.config().vocab);
  for (const auto& tokens : sequences) {
    const std::vector<float> logits = run(context, model, tokens, {.call = 7});
    for (size_t i = 0; i + 1 < tokens.size(); ++i)
      scores.push_back(static_cast<float>(log_probability(
          std::span(logits).subspan(i * vocab, vocab), tokens[i + 1], temperature)));
  }
  return scores;
}

TEST_P(TrainPass, ScoresAreThoseOfForwardBatch) {
  const Runtime runtime = make_runtime(GetParam());
  for (const std::string name : {"deepseek_v3-s1", "deepseek_v2-s1", "deepseek_v2_full-s1",
                                 "qwen2-s1", "qwen3-s1", "llama3-s1"}) {
    SCOPED_TRACE(name);
    const auto model = open_trainable(name, runtime.context());
    auto sequences = three_sequences();
    sequences.push_back(tokens_of(name));
    const auto expected = scores_by_forward(runtime.context(), model->model(), sequences, 0.75f);
    for (const bool backward : {true, false}) {
      const PassCase pass{sequences, {.temperature = 0.75f}, {}, backward};
      EXPECT_EQ(run_pass(runtime.context(), *model, pass).log_probability, expected);
    }
  }
}

TEST_P(TrainPass, ThreadsAndRecomputationDoNotMatter) {
  for (const std::string name : {"deepseek_v3-s1", "qwen3-s1"}) {
    SCOPED_TRACE(name);
    std::vector<float> first;
    for (const int threads : {1, 2, 3}) {
      const Runtime runtime = make_runtime(GetParam(), Activations::kFloat, threads);
      const bool mtp = name == "deepseek_v3-s1";
      const auto model = open_trainable(name, runtime.context(), {.mtp = mtp});
      PassCase pass{three_sequences(),
                    {.balance_weight = 0.1f, .mtp_weight = 0.3f, .recompute = threads != 2}};
      const Outcome outcome = run_pass(runtime.context(), *model, pass);
      if (first.empty()) first = outcome.gradients;
      EXPECT_EQ(outcome.gradients, first) << threads;
    }
  }
}

// A pass of two sequences gives the sum of a pass of each (to rounding, as sums over rows differ).
TEST_P(TrainPass, GradientsOfSequencesAddUp) {
  const Runtime runtime = make_runtime(GetParam());
  const auto model = open_trainable("deepseek_v2-s1", runtime.context());
  const auto sequences = three_sequences();
  const auto weights = [](size_t rows) { return std::vector<float>(rows, -0.1f); };
  std::vector<float> sum(static_cast<size_t>(model->gradient_size()));
  size_t rows = 0;
  for (const auto& tokens : sequences) {
    const PassCase pass{{tokens}, {.balance_weight = 1.0f}, weights(tokens.size() - 1)};
    const Outcome alone = run_pass(runtime.context(), *model, pass);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += alone.gradients[i];
    rows += tokens.size() - 1;
  }
  const PassCase pass{sequences, {.balance_weight = 1.0f}, weights(rows)};
  EXPECT_LE(max_relative_error(run_pass(runtime.context(), *model, pass).gradients, sum), 1e-5);
}

// Answers to one prompt, with a prompt each and with one for all: the same scores to the bit, and
// the same gradients but for the order of sums.
TEST_P(TrainPass, APromptMayBeShared) {
  const Runtime runtime = make_runtime(GetParam());
  for (const std::string name : {"deepseek_v3-s1", "qwen2-s1", "qwen3-s1"}) {
    for (const bool recompute : {true, false}) {
      SCOPED_TRACE(name);
      const auto model = open_trainable(name, runtime.context());
      const auto parts = three_sequences();
      const std::vector<int32_t>& prompt = parts[1];
      PassCase apart{.sequences = {}, .options = {.recompute = recompute}};
      PassCase shared{.sequences = {prompt}, .options = apart.options, .prefixes = {-1}};
      shared.weights.resize(prompt.size() - 1);
      std::vector<size_t> rows;  // of the answers, in the pass with prompts of their own
      for (const size_t length : {size_t{3}, size_t{1}, size_t{19}}) {
        std::vector<int32_t> whole = prompt, rest = {prompt.back()};
        for (size_t i = 0; i < length; ++i) {
          const int32_t token = parts[2][i + length];
          whole.push_back(token);
          rest.push_back(token);
          apart.weights.resize(apart.weights.size() + (i == 0 ? prompt.size() - 1 : 0));
          rows.push_back(apart.weights.size());
          apart.weights.push_back(0.1f * static_cast<float>(i + length) - 1.0f);
          shared.weights.push_back(apart.weights.back());
        }
        apart.sequences.push_back(whole);
        shared.sequences.push_back(rest);
        shared.prefixes.push_back(0);
      }
      const Outcome expected = run_pass(runtime.context(), *model, apart);
      const Outcome actual = run_pass(runtime.context(), *model, shared);
      ASSERT_EQ(actual.log_probability.size(), prompt.size() - 1 + rows.size());
      for (size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(actual.log_probability[prompt.size() - 1 + i], expected.log_probability[rows[i]]);
        EXPECT_EQ(actual.entropy[prompt.size() - 1 + i], expected.entropy[rows[i]]);
      }
      EXPECT_LE(max_relative_error(actual.gradients, expected.gradients), 2e-5);
    }
  }
}

TEST_P(TrainPass, CountsTheExpertsOfEachLayer) {
  const Runtime runtime = make_runtime(GetParam());
  const auto model = open_trainable("deepseek_v3-s1", runtime.context(), {.mtp = true});
  const PassCase pass{three_sequences(), {.mtp_weight = 0.3f}, {}, false};
  const Outcome outcome = run_pass(runtime.context(), *model, pass);
  ASSERT_EQ(outcome.stats.expert_tokens.size(), 6u);  // 2 dense layers, 3 of experts, the block
  const int64_t rows = std::ssize(outcome.log_probability);
  for (size_t l = 0; l < 6; ++l) {
    int64_t total = 0;
    for (const int64_t count : outcome.stats.expert_tokens[l]) total += count;
    EXPECT_EQ(total, l < 2 ? 0 : 3 * (l < 5 ? rows : rows - 3)) << l;
  }
}

TEST(TrainPassErrors, BadSequencesAreNamed) {
  const Runtime runtime = make_runtime(available_isas().back());
  const auto model = open_trainable("qwen2-s1", runtime.context());
  const auto error_of = [&](const std::vector<int32_t>& tokens) {
    const TrainSequence sequences[] = {{tokens}};
    const auto loss = [](const RowScores&, std::span<float>) {};
    const auto result = train_pass(runtime.context(), *model, sequences, {}, loss, {});
    return result.ok() ? "" : result.error().message();
  };
  EXPECT_EQ(error_of({1, 2}), "");
  EXPECT_THAT(error_of({1}), ::testing::HasSubstr("sequence 0: has 1 tokens"));
  EXPECT_THAT(error_of({1, 256}), ::testing::HasSubstr("token 256 is not in the vocabulary"));
  EXPECT_THAT(error_of({-1, 2}), ::testing::HasSubstr("token -1"));
}

const TrainableOptions kAdapters{.lora_rank = 3,
                                 .lora_alpha = 6.0f,
                                 .lora_on = {"q_proj", "v_proj", "o_proj", "up_proj", "down_proj"},
                                 .seed = 5};

// Adapters that do something.
void randomise(TrainableModel& model) {
  uint64_t seed = 100;
  for (ParamSlot& slot : model.slots()) {
    std::vector<float> values = random_floats(seed++, slot.shape.elements());
    for (float& value : values) value *= 0.1f;
    model.from_checkpoint(slot, values, slot.values);
  }
}

TEST_P(TrainPass, NewAdaptersChangeNothing) {
  const Runtime runtime = make_runtime(GetParam());
  const auto plain = open_trainable("qwen2-s1", runtime.context());
  const auto adapted = open_trainable("qwen2-s1", runtime.context(), kAdapters);
  EXPECT_EQ(adapted->slots().size(), 2u * 5 * 4);
  EXPECT_EQ(adapted->slots()[0].name,
            "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
  const PassCase pass{three_sequences(), {}, {}, false};
  EXPECT_EQ(run_pass(runtime.context(), *adapted, pass).log_probability,
            run_pass(runtime.context(), *plain, pass).log_probability);
}

// On f32, on a quantised base, and on latent attention.
TEST_P(TrainPass, AdaptersHaveGradientsAndTheForwardPassUsesThem) {
  const Runtime runtime = make_runtime(GetParam());
  for (const std::string name : {"qwen2-s1", "qwen2-s1.q8_0.gguf", "deepseek_v3-s1"}) {
    SCOPED_TRACE(name);
    TrainableOptions options = kAdapters;
    if (name == "deepseek_v3-s1")
      options.lora_on = {"q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "o_proj", "gate_proj"};
    const auto model = open_trainable(name, runtime.context(), options);
    randomise(*model);
    const PassCase pass{{tokens_of(name.substr(0, name.find('.')))}};
    const Outcome outcome = run_pass(runtime.context(), *model, pass);
    EXPECT_EQ(outcome.log_probability,
              scores_by_forward(runtime.context(), model->model(), pass.sequences, 1.0f));
    expect_slope(
        runtime.context(), *model, pass, [](const Outcome& o) { return o.loss; }, 1e-4);
  }
}

}  // namespace
}  // namespace ponder::testing
