// Models to train: made, opened, saved and opened again.
#include "model/trainable.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <set>

#include "model/config_write.hpp"
#include "model/model_testing.hpp"
#include "testing/numbers.hpp"
#include "testing/temp_folder.hpp"

namespace ponder::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kFamilies[] = {"deepseek_v3-s1", "deepseek_v2-s1", "deepseek_v2_full-s1",
                                     "qwen2-s1",       "qwen3-s1",       "llama3-s1"};

std::unique_ptr<TrainableModel> take(Result<std::unique_ptr<TrainableModel>> made) {
  if (!made.ok()) ADD_FAILURE() << made.error().message();
  return std::move(made).take_value();
}

std::vector<int32_t> tokens_of(const std::string& name) {
  return load_golden(kModels + name + "/expected.safetensors").at("tokens").values<int32_t>();
}

Config config_of(const std::string& name) {
  auto config = read_config(kModels + name);
  EXPECT_TRUE(config.ok());
  return std::move(config).take_value();
}

TEST(ConfigWrite, IsReadBackAsItWas) {
  for (const std::string name : kFamilies) {
    SCOPED_TRACE(name);
    const auto text = config_to_json(config_of(name));
    ASSERT_TRUE(text.ok());
    const auto again = config_from_json(text.value(), "written");
    ASSERT_TRUE(again.ok()) << again.error().message();
    EXPECT_EQ(config_to_json(again.value()).value(), text.value());
    EXPECT_EQ(again.value().rope.inv_freq, config_of(name).rope.inv_freq);
    EXPECT_EQ(again.value().attention.scale, config_of(name).attention.scale);
  }
}

class Trainable : public ::testing::TestWithParam<Isa> {
 protected:
  Trainable() : runtime_(make_runtime(GetParam())) {}
  const Context& context() const { return runtime_.context(); }
  Runtime runtime_;
};
INSTANTIATE_TEST_SUITE_P(AllIsas, Trainable, ::testing::ValuesIn(available_isas()));

// Opened and saved in f32, a model computes what it did; all of its tensors are there.
TEST_P(Trainable, IsSavedAsItWas) {
  for (const std::string name : kFamilies) {
    SCOPED_TRACE(name);
    TempFolder folder;
    const bool mtp = name == "deepseek_v3-s1";
    const auto model = take(TrainableModel::open(kModels + name, context(), {.mtp = mtp}));
    const auto saved = model->save(folder.path() / "new", DType::kF32);
    ASSERT_TRUE(saved.ok()) << saved.error().message();
    auto again = Model::open(folder.path() / "new", context(), {.load_mtp = mtp});
    ASSERT_TRUE(again.ok()) << again.error().message();
    const auto tokens = tokens_of(name);
    EXPECT_EQ(run(context(), again.value(), tokens), run(context(), model->model(), tokens));
    EXPECT_EQ(again.value().has_mtp(), mtp);
    const auto before = load_golden(kModels + name + "/model.safetensors");
    const auto after = load_golden((folder.path() / "new/model.safetensors").string());
    EXPECT_EQ(after.size(), before.size());
    for (const auto& [key, tensor] : after) {
      SCOPED_TRACE(key);
      ASSERT_EQ(before.count(key), 1u);
      EXPECT_EQ(before.at(key).shape, tensor.shape);
      EXPECT_TRUE(before.at(key).dtype != DType::kF32 || before.at(key).bytes == tensor.bytes);
    }
  }
}

// The order of a Llama's rows in GGUF is undone.
TEST_P(Trainable, ALlamaOfGgufBecomesTheOriginal) {
  const auto original = take(TrainableModel::open(kModels + "llama3-s1", context()));
  const auto model = take(TrainableModel::open(kModels + "llama3-s1.f32.gguf", context()));
  ASSERT_EQ(model->slots().size(), original->slots().size());
  for (size_t i = 0; i < model->slots().size(); ++i) {
    const ParamSlot &a = model->slots()[i], &b = original->slots()[i];
    EXPECT_EQ(model->to_checkpoint(a, a.values), original->to_checkpoint(b, b.values)) << a.name;
  }
  const auto expected = load_golden(kModels + "llama3-s1/expected.safetensors");
  EXPECT_LE(max_difference(run(context(), model->model(), tokens_of("llama3-s1")),
                           expected.at("logits").values<float>()),
            2e-4);
}

TEST_P(Trainable, SlotsCoverTheParametersAndAreSeenByTheModel) {
  const auto model = take(TrainableModel::create(config_of("deepseek_v3-s1"), context()));
  int64_t elements = 0, offset = 0;
  std::set<std::string> names;
  for (ParamSlot& slot : model->slots()) {
    elements += slot.shape.elements();
    EXPECT_TRUE(names.insert(slot.name).second) << slot.name;
    EXPECT_EQ(slot.trained, slot.info.kind != ParamKind::kRouterBias);
    EXPECT_EQ(slot.decays, slot.shape.rank > 1);
    if (slot.trained) {
      EXPECT_EQ(slot.offset, offset);
      offset += std::ssize(slot.values);
    }
    std::vector<float> back(slot.values.size());
    model->from_checkpoint(slot, model->to_checkpoint(slot, slot.values), back);
    EXPECT_TRUE(std::equal(back.begin(), back.end(), slot.values.begin())) << slot.name;
  }
  EXPECT_EQ(elements, count_parameters(model->model().config()).total);
  EXPECT_EQ(offset, model->gradient_size());
  EXPECT_EQ(model->router_bias(1).size(), 0u);
  EXPECT_EQ(model->router_bias(2).size(), 8u);

  const std::vector<int32_t> tokens = {1, 2, 3};
  const auto before = run(context(), model->model(), tokens);
  for (ParamSlot& slot : model->slots())
    if (slot.info.kind == ParamKind::kEmbedding) slot.values[64] += 1.0f;  // of token 1
  EXPECT_NE(run(context(), model->model(), tokens), before);
}

TEST_P(Trainable, NewWeightsAreAFunctionOfTheSeed) {
  Config config = config_of("deepseek_v3-s1");
  config.initializer_range = 0.05;
  const auto a = take(TrainableModel::create(config, context(), {.seed = 3}));
  const auto with_mtp = take(TrainableModel::create(config, context(), {.mtp = true, .seed = 3}));
  const auto other = take(TrainableModel::create(config, context(), {.seed = 4}));
  for (const ParamInfo& info : list_params(config)) {
    SCOPED_TRACE(hf_name(info));
    const std::vector<float> values = a->checkpoint_values(info);
    EXPECT_EQ(with_mtp->checkpoint_values(info), values);
    if (info.is_vector()) {
      EXPECT_THAT(values, ::testing::Each(info.kind == ParamKind::kRouterBias ? 0.0f : 1.0f));
      continue;
    }
    EXPECT_NE(other->checkpoint_values(info), values);
    const bool output = info.kind == ParamKind::kO || info.kind == ParamKind::kDown ||
                        info.kind == ParamKind::kExpertDown || info.kind == ParamKind::kSharedDown;
    const double count = static_cast<double>(values.size());
    const double wanted = output ? 0.05 / std::sqrt(10.0) : 0.05;
    EXPECT_NEAR(norm(values) / std::sqrt(count), wanted, 4 * wanted / std::sqrt(2 * count));
  }
}

// A tied model's one matrix is embedding and output.
TEST_P(Trainable, TiedModelsHaveOneMatrix) {
  Config config = config_of("qwen3-s1");
  config.tied = true;
  config.initializer_range = 0.5;
  TempFolder folder;
  const auto model = take(TrainableModel::create(config, context(), {.seed = 9}));
  ASSERT_TRUE(model->save(folder.path(), DType::kF32).ok());
  auto again = Model::open(folder.path(), context());
  ASSERT_TRUE(again.ok()) << again.error().message();
  const auto tokens = tokens_of("qwen3-s1");
  EXPECT_EQ(run(context(), again.value(), tokens), run(context(), model->model(), tokens));

  // Its gradient is that of both uses: the slope of the loss.
  const TrainSequence sequence{tokens};
  double loss = 0.0;
  const auto mean = [&](const RowScores& scores, std::span<float> gradient) {
    loss = 0.0;
    for (size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] = -1.0f / static_cast<float>(gradient.size());
      loss += static_cast<double>(gradient[i]) * static_cast<double>(scores.log_probability[i]);
    }
  };
  std::vector<float> gradients(static_cast<size_t>(model->gradient_size()));
  ASSERT_TRUE(train_pass(context(), *model, {&sequence, 1}, {}, mean, gradients).ok());
  ParamSlot& slot = model->slots()[0];
  ASSERT_EQ(slot.info.kind, ParamKind::kEmbedding);
  const std::vector<float> direction(gradients.begin() + slot.offset,
                                     gradients.begin() + slot.offset + std::ssize(slot.values));
  const std::vector<float> before(slot.values.begin(), slot.values.end());
  const double length = norm(direction), step = 1e-3 * norm(before);
  const auto moved = [&](double by) {
    for (size_t i = 0; i < before.size(); ++i)
      slot.values[i] =
          before[i] + static_cast<float>(by * static_cast<double>(direction[i]) / length);
    EXPECT_TRUE(train_pass(context(), *model, {&sequence, 1}, {}, mean, {}).ok());
    return loss;
  };
  EXPECT_NEAR((moved(step) - moved(-step)) / (2 * step), length, 2e-2 * length);
}

// Merged into a quantised base, adapters do what they did beside it.
TEST_P(Trainable, AdaptersAreMergedWhenSaved) {
  TempFolder folder;
  const std::string name = "qwen2-s1.q8_0.gguf";
  const auto model = take(
      TrainableModel::open(kModels + name, context(),
                           {.lora_rank = 2, .lora_alpha = 4.0f, .lora_on = {"k_proj", "up_proj"}}));
  uint64_t seed = 1;
  for (ParamSlot& slot : model->slots()) {
    std::vector<float> values = random_floats(seed++, slot.shape.elements());
    for (float& value : values) value *= 0.2f;
    model->from_checkpoint(slot, values, slot.values);
  }
  ASSERT_TRUE(model->save(folder.path(), DType::kF32).ok());
  auto merged = Model::open(folder.path(), context());
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  const auto tokens = tokens_of("qwen2-s1");
  const auto with = run(context(), model->model(), tokens);
  EXPECT_LE(max_difference(run(context(), merged.value(), tokens), with), 2e-4);
  EXPECT_GE(max_difference(run(context(), load_model(name, context()), tokens), with), 0.1);
}

TEST_P(Trainable, WhatCannotBeIsRefused) {
  const auto error_of = [&](const std::string& name, const TrainableOptions& options) {
    const auto result = TrainableModel::open(kModels + name, context(), options);
    return result.ok() ? "" : result.error().message();
  };
  EXPECT_THAT(error_of("qwen2-s1", {.mtp = true}), HasSubstr("no multi-token-prediction block"));
  EXPECT_THAT(error_of("nothing", {}), HasSubstr("no such file"));
  EXPECT_THAT(error_of("qwen2-s1", {.lora_rank = 2, .lora_alpha = 1.0f}),
              HasSubstr("names no module"));
  EXPECT_THAT(error_of("deepseek_v3-s1",
                       {.lora_rank = 2, .lora_alpha = 1.0f, .lora_on = {"o_proj", "kv_b_proj"}}),
              HasSubstr("'kv_b_proj' cannot be adapted"));
  EXPECT_THAT(error_of("qwen2-s1", {.lora_rank = 2, .lora_on = {"o_proj"}}), HasSubstr("alpha"));
  EXPECT_THAT(
      error_of("llama3-s1.f32.gguf", {.lora_rank = 2, .lora_alpha = 1.0f, .lora_on = {"o_proj"}}),
      HasSubstr("safetensors"));
  Config config = config_of("qwen2-s1");
  config.attention.heads = 3;
  EXPECT_FALSE(TrainableModel::create(config, context()).ok());
}

}  // namespace
}  // namespace ponder::testing
