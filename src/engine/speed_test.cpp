// What measure_speed() runs and what it counts. No test looks at a speed.
#include "engine/speed.hpp"

#include <gmock/gmock.h>

#include "model/kv_cache.hpp"
#include "testing/isas.hpp"

namespace ponder {
namespace {

const std::string kModels = "tests/golden/model/";

class Speed : public ::testing::Test {
 protected:
  Model open(const std::string& name) {
    auto model = Model::open(kModels + name, runtime_.context());
    EXPECT_TRUE(model.ok());
    return std::move(model).take_value();
  }
  SpeedResult measure(const Model& model, const SpeedTest& test, const SpeedOptions& options = {}) {
    auto result = measure_speed(runtime_.context(), model, test, options);
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message());
    return std::move(result).take_value();
  }
  static int64_t calls(const SpeedResult& result, std::string_view name) {
    for (const Profile::Op& op : result.profile.ops())
      if (op.name == name) return op.calls;
    return 0;
  }

  Runtime runtime_ = testing::make_runtime(available_isas().back(), 2);
};

TEST_F(Speed, NamesAreThoseOfLlamaBench) {
  EXPECT_EQ((SpeedTest{.prompt = 512}.name()), "pp512");
  EXPECT_EQ((SpeedTest{.gen = 64, .batch = 4}.name()), "tg64");
  EXPECT_EQ((SpeedTest{.gen = 64, .batch = 4}.tokens()), 256);
  EXPECT_EQ((SpeedTest{.gen = 64, .depth = 10}.positions()), 74);
}

TEST_F(Speed, CountsEveryRepeatButNotTheWarmUp) {
  const Model model = open("qwen2-s1");
  const SpeedResult prompt = measure(model, {.prompt = 20}, {.repeats = 4});
  ASSERT_EQ(prompt.seconds.size(), 4u);
  EXPECT_LE(prompt.seconds.front(), prompt.median);
  EXPECT_LE(prompt.median, prompt.seconds.back());
  EXPECT_EQ(calls(prompt, "embedding"), 4);
  EXPECT_EQ(calls(prompt, "sample"), 4);
  EXPECT_EQ(calls(prompt, "attention"), 4 * model.config().layers);
  const SpeedResult decode = measure(model, {.gen = 5, .batch = 3}, {.repeats = 2});
  EXPECT_EQ(calls(decode, "sample"), 2 * 5 * 3);
  EXPECT_EQ(calls(decode, "attention"), 2 * 5 * model.config().layers);
}

// All matrices once a step: every parameter in f32 but the embedding and the vectors, plus what the
// step reads of the cache and of the embedding.
TEST_F(Speed, DecodingReadsTheWeightsAndTheCache) {
  const Model model = open("qwen2-s1");
  int64_t matrices = 0;
  for (const ParamInfo& info : list_params(model.config()))
    if (!info.is_vector() && info.kind != ParamKind::kEmbedding) matrices += info.shape.elements();
  const int64_t row = 4 * model.config().hidden;
  const auto cached = static_cast<int64_t>(kv_bytes_per_token(model.config(), DType::kF16));
  const Cost one = measure(model, {.gen = 1, .depth = 10}).cost;
  EXPECT_EQ(one.memory_bytes, 4 * matrices + row + 11 * cached);
  EXPECT_EQ(one.int8_products, 0);  // f32 weights
  const Cost batch = measure(model, {.gen = 2, .batch = 3, .depth = 10}).cost;
  EXPECT_EQ(batch.memory_bytes, 2 * (4 * matrices + 3 * row) + 3 * (11 + 12) * cached);
}

// One token reads the chosen experts only.
TEST_F(Speed, ExpertsThatAreNotChosenAreNotCounted) {
  const Model model = open("deepseek_v3-s1");
  const ParameterCount count = count_parameters(model.config());
  ASSERT_LT(count.active, count.total);
  const Cost cost = measure(model, {.gen = 1}).cost;
  EXPECT_LT(cost.memory_bytes, 4 * count.active);
  EXPECT_GT(cost.memory_bytes,
            4 * (count.active - model.config().vocab * model.config().hidden) / 2);
  EXPECT_GT(cost.products(), 0);
}

TEST_F(Speed, StopsAndRefuses) {
  const Model model = open("qwen2-s1");
  const std::atomic<bool> stop = true;
  EXPECT_EQ(measure_speed(runtime_.context(), model, {.prompt = 4}, {.stop = &stop}).error().what,
            "stopped");
  const auto refused = measure_speed(runtime_.context(), model, {.gen = 1},
                                     {.progress = [](auto&) { return false; }});
  EXPECT_EQ(refused.error().what, "stopped");
  EXPECT_FALSE(measure_speed(runtime_.context(), model, {.gen = 1, .depth = 1 << 24}).ok());
}

TEST(SpeedLimit, TakesTheSlowerOfReadingAndMultiplying) {
  const Roofline machine{
      .bytes_per_second = 10, .int8_products_per_second = 100, .float_products_per_second = 20};
  const SpeedLimit limit = speed_limit(
      {.memory_bytes = 50, .activation_bytes = 1000, .int8_products = 200, .float_products = 20},
      machine);
  EXPECT_EQ(limit.memory_seconds, 5.0);
  EXPECT_EQ(limit.multiply_seconds, 3.0);
  EXPECT_EQ(limit.seconds(), 5.0);
}

}  // namespace
}  // namespace ponder
