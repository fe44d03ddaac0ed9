// Models with random weights: their bytes, their numbers, and that they run.
#include "model/synth.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "io/gguf.hpp"
#include "model/convert.hpp"
#include "model/model_testing.hpp"
#include "model/named_shapes.hpp"
#include "model/synth_weights.hpp"
#include "quant/codec.hpp"
#include "testing/temp_folder.hpp"
#include "text/tokenizer.hpp"

namespace ponder::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::vector<std::string> kTiny = {"qwen2-tiny", "qwen3-tiny", "llama3-tiny",
                                        "deepseek-v2-tiny", "deepseek-v3-tiny"};

class Synth : public ::testing::Test {
 protected:
  fs::path made(SynthOptions options, const std::string& name = "model.gguf") {
    options.output = folder_.path() / name;
    const auto done = synth(options);
    EXPECT_TRUE(done.ok()) << (done.ok() ? "" : done.error().message());
    return options.output;
  }
  std::string error(SynthOptions options) {
    if (options.output.empty()) options.output = folder_.path() / "none.gguf";
    const auto done = synth(options);
    EXPECT_FALSE(done.ok());
    EXPECT_TRUE(fs::is_empty(folder_.path()));
    return done.ok() ? "" : done.error().message();
  }

  TempFolder folder_;
};

struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments(const std::vector<float>& values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const float value : values) {
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  return {sum / count, std::sqrt(squares / count)};
}

// 2^18 elements: the mean of as many independent ones is off by 0.02/512; blocks are not quite
// independent in themselves.
TEST_F(Synth, EveryFormatHasTheDeviationAndNoMean) {
  for (const std::string& type : conversion_types()) {
    const auto dtype = parse_dtype(type);
    if (!dtype) continue;  // the mix
    const SynthWeights weights(*dtype, 7, 3);
    std::vector<std::byte> bytes(*row_bytes(*dtype, 1 << 18));
    for (uint32_t piece = 0; piece * weights.piece_bytes() < bytes.size(); ++piece) {
      const auto rest = std::span(bytes).subspan(piece * weights.piece_bytes());
      weights.draw(piece, rest.first(std::min(rest.size(), weights.piece_bytes())));
    }
    std::vector<float> values(1 << 18);
    decode_row(*dtype, bytes.data(), std::ssize(values), values.data());
    const Moments seen = moments(values);
    EXPECT_NEAR(seen.deviation, kSynthDeviation, 0.05 * kSynthDeviation) << type;
    EXPECT_LT(std::abs(seen.mean), 0.02 * kSynthDeviation) << type;
  }
}

TEST_F(Synth, SameSeedSameBytesWhateverTheThreads) {
  const auto bytes = [&](uint64_t seed, int threads) {
    return content_of(
        made({.shape = "deepseek-v3-tiny", .output = {}, .seed = seed, .threads = threads}));
  };
  const std::string expected = bytes(1, 1);
  EXPECT_EQ(bytes(1, 2), expected);
  EXPECT_EQ(bytes(1, 3), expected);
  const std::string other = bytes(2, 2);
  EXPECT_EQ(other.size(), expected.size());
  EXPECT_NE(other, expected);
}

// What is read back is what was described, and every tensor of the description is there.
TEST_F(Synth, IsTheModelOfItsShape) {
  for (const std::string& name : kTiny) {
    const fs::path path = made({.shape = name, .output = {}});
    const Config expected = named_shape(name).value().config;
    const auto config = read_config(path);
    ASSERT_TRUE(config.ok()) << config.error().message();
    EXPECT_EQ(config.value().architecture, expected.architecture);
    EXPECT_EQ(config.value().context, expected.context);
    EXPECT_EQ(config.value().tied, expected.tied);
    EXPECT_EQ(config.value().attention.scale, expected.attention.scale);
    EXPECT_EQ(count_parameters(config.value()).total, count_parameters(expected).total);
    EXPECT_EQ(count_parameters(config.value()).active, count_parameters(expected).active);
    for (size_t j = 0; j < expected.rope.inv_freq.size(); ++j)
      EXPECT_NEAR(config.value().rope.inv_freq[j], expected.rope.inv_freq[j],
                  1e-6f * expected.rope.inv_freq[j]);
  }
}

// Logits of normalised states with weights of deviation σ: about σ·√H.
TEST_F(Synth, GivesFiniteLogitsOfTheExpectedSize) {
  for (const std::string& name : kTiny) {
    for (const std::string type : {"q4_k_m", "q4_0", "q8_0", "f16"}) {
      const Runtime runtime = make_runtime(available_isas().back(), Activations::kInt8);
      const auto model =
          Model::open(made({.shape = name, .output = {}, .type = type}), runtime.context());
      ASSERT_TRUE(model.ok()) << model.error().message();
      const Moments seen =
          moments(run(runtime.context(), model.value(), {1, 500, 30, 7, 900, 1, 1}));
      const double wanted =
          kSynthDeviation * std::sqrt(static_cast<double>(model.value().config().hidden));
      EXPECT_NEAR(seen.deviation, wanted, 0.15 * wanted) << name << " " << type;
    }
  }
}

TEST_F(Synth, SpreadsTokensOverExperts) {
  for (const std::string name : {"deepseek-v2-tiny", "deepseek-v3-tiny"}) {
    const Runtime runtime = make_runtime(available_isas().back(), Activations::kInt8);
    const auto model = Model::open(made({.shape = name, .output = {}}), runtime.context());
    ASSERT_TRUE(model.ok()) << model.error().message();
    std::vector<int32_t> tokens;
    for (int32_t i = 0; i < 128; ++i) tokens.push_back(i * 37 % 1000);
    int layers = 0;
    const Tap tap = [&](const TapValues& seen) {
      if (seen.point != TapPoint::kRouterExperts) return;
      std::vector<int64_t> load(16);
      for (int64_t i = 0; i < seen.rows * seen.width; ++i) ++load[seen.indices[i]];
      const int64_t mean = seen.rows * seen.width / std::ssize(load);
      EXPECT_GT(*std::min_element(load.begin(), load.end()), 0) << name;
      EXPECT_LT(*std::max_element(load.begin(), load.end()), 3 * mean) << name;
      ++layers;
    };
    run(runtime.context(), model.value(), tokens, {.tap = &tap});
    EXPECT_EQ(layers, model.value().config().layers - 1);
  }
}

TEST_F(Synth, HasAVocabularyThatRoundTrips) {
  for (const std::string& name : kTiny) {
    const auto tokenizer = Tokenizer::load(made({.shape = name, .output = {}}));
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message();
    EXPECT_EQ(tokenizer.value().vocab_size(), 1024);
    const std::string text = "the quick brown fox: 123\n déjà vu 今天";
    std::string back;
    const auto ids = tokenizer.value().encode(text);
    for (const int32_t id : ids)
      if (!tokenizer.value().is_special(id)) back += tokenizer.value().token_bytes(id);
    EXPECT_EQ(back, text);
    EXPECT_LT(ids.size(), text.size() - 5);
    EXPECT_TRUE(tokenizer.value().eos().has_value());
  }
}

TEST_F(Synth, FallsBackToSmallerBlocksWhereRowsDoNotFit) {
  const auto file =
      GgufFile::open(made({.shape = "deepseek-v2-tiny", .output = {}, .type = "q4_k"}));
  ASSERT_TRUE(file.ok());
  const TensorMap& tensors = file.value().tensors();
  EXPECT_EQ(tensors.find("blk.1.ffn_gate_exps.weight")->dtype, DType::kQ4_K);
  EXPECT_EQ(tensors.find("blk.1.attn_k_b.weight")->dtype, DType::kQ5_0);
  EXPECT_EQ(tensors.find("blk.1.ffn_gate_inp.weight")->dtype, DType::kF32);
  EXPECT_EQ(tensors.find("output.weight")->dtype, DType::kQ6_K);
  EXPECT_EQ(tensors.find("blk.1.attn_kv_b.weight"), nullptr);
}

TEST_F(Synth, RefusesWithoutLeavingAnything) {
  EXPECT_THAT(error({.shape = "qwen9", .output = {}}), HasSubstr("qwen2-tiny"));
  EXPECT_THAT(error({.shape = "qwen2-tiny", .output = {}, .type = "q9"}), HasSubstr("q4_k_m"));
  EXPECT_THAT(error({.shape = "qwen2-tiny-2-layers", .output = {}, .layers = 3}),
              HasSubstr("--layers"));
  EXPECT_THAT(error({.shape = "qwen2-tiny-0-layers", .output = {}}), HasSubstr("layers"));
  EXPECT_THAT(error({.shape = "qwen2-tiny", .output = "/nowhere/x.gguf"}), HasSubstr("/nowhere"));
  EXPECT_THAT(error({.shape = "deepseek-v3-1000-layers", .output = {}, .type = "f32"}),
              HasSubstr("the disk has only"));
  int reports = 0;
  EXPECT_EQ(error({.shape = "qwen2-tiny",
                   .output = {},
                   .progress =
                       [&](const ProgressReport& seen) {
                         EXPECT_LE(seen.done, seen.total);
                         return ++reports < 5;
                       }}),
            "stopped");
}

TEST(NamedShape, HasTheSizesOfTheRealModels) {
  const auto billions = [](std::string_view name) {
    const auto shape = named_shape(name);
    EXPECT_TRUE(shape.ok()) << name;
    return static_cast<double>(count_parameters(shape.value().config).total) / 1e9;
  };
  EXPECT_NEAR(billions("qwen2-0.5b"), 0.494, 0.001);
  EXPECT_NEAR(billions("qwen2-1.5b"), 1.777, 0.001);
  EXPECT_NEAR(billions("qwen2-7b"), 7.616, 0.001);
  EXPECT_NEAR(billions("qwen3-8b"), 8.191, 0.001);
  EXPECT_NEAR(billions("llama3-8b"), 8.030, 0.001);
  EXPECT_NEAR(billions("deepseek-v2-lite"), 15.706, 0.001);
  EXPECT_NEAR(billions("deepseek-v3"), 671.026, 0.001);
  EXPECT_EQ(named_shape("deepseek-v3-4-layers").value().config.moe->first_layer, 3);
  EXPECT_EQ(named_shape("deepseek-v3-2-layers").value().config.moe->first_layer, 2);
  EXPECT_EQ(named_shape("deepseek-v3", 5).value().config.layers, 5);
  for (const char* bad : {"", "-layers", "4-layers", "qwen2-tiny-x-layers", "qwen2-tiny--1-layers"})
    EXPECT_FALSE(named_shape(bad).ok()) << bad;
}

}  // namespace
}  // namespace ponder::testing
