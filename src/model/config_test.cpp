#include "model/config.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "io/json.hpp"
#include "model/model.hpp"
#include "model/model_testing.hpp"
#include "model/rope_frequencies.hpp"

namespace ponder::testing {
namespace {

using ::testing::HasSubstr;

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

Json golden_json(const std::string& name) {
  return Json::parse(text_of(kModels + name + "/config.json"));
}

Config read(const Json& json) {
  auto config = config_from_json(json.dump(), "config.json");
  if (!config.ok()) ADD_FAILURE() << config.error().message();
  return std::move(config).take_value();
}

// The error of a configuration with one field changed.
std::string error_with(const std::string& name, const std::string& key, const Json& value) {
  Json json = golden_json(name);
  json[key] = value;
  const auto config = config_from_json(json.dump(), "config.json");
  return config.ok() ? "" : config.error().message();
}

TEST(RopeFrequencies, EqualTheReference) {
  for (const std::string name : {"deepseek_v2-s1", "deepseek_v2_full-s1", "deepseek_v3-s1",
                                 "deepseek_v3_fp8-s1", "llama3-s1", "qwen2-s1", "qwen3-s1"}) {
    const Config config = read(golden_json(name));
    const auto expected =
        load_golden(kModels + name + "/expected.safetensors").at("rope_inv_freq").values<float>();
    ASSERT_EQ(config.rope.inv_freq.size(), expected.size()) << name;
    for (size_t j = 0; j < expected.size(); ++j)
      EXPECT_NEAR(config.rope.inv_freq[j], expected[j], 1e-6f * expected[j]) << name << " " << j;
    EXPECT_EQ(config.rope.amplitude, 1.0f) << name;
  }
}

TEST(RopeFrequencies, GgufSaysTheSameAsConfigJson) {
  for (const std::string name : {"deepseek_v3-s1", "llama3-s1", "qwen2-s1"}) {
    const Config json = read(golden_json(name));
    const auto gguf = read_config(kModels + name + ".f32.gguf");
    ASSERT_TRUE(gguf.ok()) << gguf.error().message();
    const Config& other = gguf.value();
    for (size_t j = 0; j < json.rope.inv_freq.size(); ++j)
      EXPECT_NEAR(json.rope.inv_freq[j], other.rope.inv_freq[j], 1e-6f * json.rope.inv_freq[j]);
    EXPECT_NEAR(json.attention.scale, other.attention.scale, 1e-6f);
    EXPECT_EQ(other.rope.interleaved, name != "qwen2-s1");
    EXPECT_EQ(json.architecture, other.architecture);
    EXPECT_EQ(count_parameters(json).total, count_parameters(other).total);
  }
}

// R1's published numbers (model-spec §2-§4).
TEST(Config, ReadsDeepseekR1) {
  Json json = golden_json("deepseek_v3-s1");
  json.update({{"hidden_size", 7168},
               {"intermediate_size", 18432},
               {"vocab_size", 129280},
               {"moe_intermediate_size", 2048},
               {"num_hidden_layers", 61},
               {"first_k_dense_replace", 3},
               {"num_attention_heads", 128},
               {"num_key_value_heads", 128},
               {"q_lora_rank", 1536},
               {"kv_lora_rank", 512},
               {"qk_nope_head_dim", 128},
               {"qk_rope_head_dim", 64},
               {"v_head_dim", 128},
               {"n_routed_experts", 256},
               {"num_experts_per_tok", 8},
               {"n_group", 8},
               {"topk_group", 4},
               {"num_nextn_predict_layers", 1}});
  const Config config = read(json);
  EXPECT_NEAR(config.attention.scale, 0.135234, 1e-6);
  EXPECT_EQ(config.rope.amplitude, 1.0f);
  const ParameterCount count = count_parameters(config);
  EXPECT_NEAR(static_cast<double>(count.total), 671e9, 0.5e9);
  EXPECT_NEAR(static_cast<double>(count.active), 37.5e9, 0.5e9);
  EXPECT_NEAR(static_cast<double>(count.mtp), 13.5e9, 0.5e9);
  EXPECT_EQ(kv_bytes_per_token(config, DType::kF16), 70272u);
  // The ramp of YaRN runs from pair 10 to 23: before it f, after it f/40.
  for (const int j : {0, 10, 23, 31}) {
    const double f = std::pow(10000.0, -j / 32.0) / (j <= 10 ? 1.0 : 40.0);
    EXPECT_NEAR(config.rope.inv_freq[static_cast<size_t>(j)], f, 1e-6 * f) << j;
  }
}

TEST(Config, ReadsBothSpellingsOfRopeScaling) {
  Json json = golden_json("llama3-s1");
  const Config old_form = read(json);
  json["rope_parameters"] = json["rope_scaling"];
  json["rope_parameters"]["rope_theta"] = json["rope_theta"];
  json.erase("rope_scaling");
  json.erase("rope_theta");
  EXPECT_EQ(read(json).rope.inv_freq, old_form.rope.inv_freq);
  json["rope_parameters"]["type"] = json["rope_parameters"]["rope_type"];
  json["rope_parameters"].erase("rope_type");
  EXPECT_EQ(read(json).rope.inv_freq, old_form.rope.inv_freq);
}

// R1-0528-Qwen3-8B means an amplitude of 1 (model-spec §8).
TEST(Config, MultipliesYarnsAmplitude) {
  Json json = golden_json("qwen3-s1");
  json["rope_scaling"] = {{"rope_type", "yarn"},
                          {"factor", 4.0},
                          {"original_max_position_embeddings", 32768},
                          {"attn_factor", 0.8782488562869419}};
  EXPECT_NEAR(read(json).rope.amplitude, 1.0f, 1e-6f);
  json["rope_scaling"].erase("attn_factor");
  EXPECT_NEAR(read(json).rope.amplitude, 1.1386294f, 1e-6f);
  json["rope_scaling"]["attention_factor"] = 1.25;
  EXPECT_EQ(read(json).rope.amplitude, 1.25f);
}

TEST(Config, UsesDefaultsForAbsentFields) {
  Json json = golden_json("qwen2-s1");
  for (const char* key : {"tie_word_embeddings", "rope_theta", "hidden_act", "rms_norm_eps",
                          "num_key_value_heads", "max_position_embeddings"})
    json.erase(key);
  const Config config = read(json);
  EXPECT_FALSE(config.tied);
  EXPECT_EQ(config.attention.kv_heads, 4);
  EXPECT_EQ(config.rope.theta, 10000.0);
}

TEST(Config, RejectsImpossibleValues) {
  const std::string v3 = "deepseek_v3-s1", qwen = "qwen2-s1";
  EXPECT_THAT(error_with(qwen, "model_type", "gpt2"), HasSubstr("deepseek_v3"));
  EXPECT_THAT(error_with(qwen, "model_type", 7), HasSubstr("model_type"));
  EXPECT_THAT(error_with(qwen, "num_attention_heads", 0), HasSubstr("num_attention_heads"));
  EXPECT_THAT(error_with(qwen, "num_attention_heads", -4), HasSubstr("num_attention_heads"));
  EXPECT_THAT(error_with(qwen, "num_key_value_heads", 3), HasSubstr("must divide"));
  EXPECT_THAT(error_with(qwen, "head_dim", 15), HasSubstr("even"));
  EXPECT_THAT(error_with(qwen, "hidden_size", 1e18), HasSubstr("hidden_size"));
  EXPECT_THAT(error_with(qwen, "hidden_size", 1 << 30), HasSubstr("hidden size"));
  EXPECT_THAT(error_with(qwen, "vocab_size", "many"), HasSubstr("vocab_size"));
  EXPECT_THAT(error_with(qwen, "num_hidden_layers", 100000), HasSubstr("layers"));
  EXPECT_THAT(error_with(qwen, "rms_norm_eps", 0), HasSubstr("epsilon"));
  EXPECT_THAT(error_with(qwen, "rope_theta", -1), HasSubstr("theta"));
  EXPECT_THAT(error_with(qwen, "rope_theta", 1e300), HasSubstr("theta"));
  EXPECT_THAT(error_with(qwen, "hidden_act", "gelu"), HasSubstr("silu"));
  EXPECT_THAT(error_with(qwen, "use_sliding_window", true), HasSubstr("sliding"));
  EXPECT_THAT(error_with(qwen, "quantization_config", {{"quant_method", "awq"}}), HasSubstr("fp8"));
  EXPECT_THAT(error_with(qwen, "rope_scaling", {{"type", "longrope"}, {"factor", 2}}),
              HasSubstr("longrope"));
  EXPECT_THAT(error_with(qwen, "rope_scaling", {{"type", "yarn"}, {"factor", 0}}),
              HasSubstr("factor"));
  EXPECT_THAT(error_with(qwen, "rope_scaling", Json::array({1})), HasSubstr("rope_scaling"));
  EXPECT_THAT(error_with(v3, "n_group", 3), HasSubstr("must divide"));
  EXPECT_THAT(error_with(v3, "n_group", 0), HasSubstr("n_group"));
  EXPECT_THAT(error_with(v3, "topk_group", 5), HasSubstr("groups kept"));
  EXPECT_THAT(error_with(v3, "num_experts_per_tok", 5), HasSubstr("experts per token"));
  EXPECT_THAT(error_with(v3, "n_routed_experts", 1 << 19), HasSubstr("experts"));
  EXPECT_THAT(error_with(v3, "moe_layer_freq", 2), HasSubstr("moe_layer_freq"));
  EXPECT_THAT(error_with(v3, "scoring_func", "softmax"), HasSubstr("scoring_func"));
  EXPECT_THAT(error_with(v3, "qk_rope_head_dim", 15), HasSubstr("even"));
  EXPECT_THAT(error_with(v3, "first_k_dense_replace", 6), HasSubstr("dense layers"));
  EXPECT_THAT(error_with(v3, "attention_bias", true), HasSubstr("attention_bias"));
}

TEST(Config, RejectsWhatIsNotAnObject) {
  for (const char* text : {"", "[]", "1", "null", "{", "{}", "{\"model_type\": null}"}) {
    const auto config = config_from_json(text, "config.json");
    ASSERT_FALSE(config.ok()) << text;
    EXPECT_THAT(config.error().message(), HasSubstr("config.json")) << text;
  }
}

TEST(Params, NamesAreUniqueAndCoverTheFiles) {
  for (const std::string name : {"deepseek_v3-s1", "deepseek_v2-s1", "qwen2-s1", "qwen3-s1"}) {
    const Config config = read(golden_json(name));
    auto in_file = load_golden(kModels + name + "/model.safetensors");
    for (const ParamInfo& info : list_params(config, true)) {
      const int64_t experts = info.is_experts() ? info.shape[0] : 1;
      for (int64_t e = 0; e < experts; ++e) {
        const bool mtp_copy =
            info.kind == ParamKind::kMtpEmbedding || info.kind == ParamKind::kMtpOutput;
        EXPECT_TRUE(in_file.erase(hf_name(info, e)) == 1 || mtp_copy) << hf_name(info, e);
      }
    }
    EXPECT_TRUE(in_file.empty()) << name << ": " << in_file.begin()->first;
  }
}

}  // namespace
}  // namespace ponder::testing
