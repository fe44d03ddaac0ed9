// config.json of Hugging Face checkpoints (model-spec §2, §8, §18).
#include "io/json.hpp"
#include "io/printable.hpp"
#include "model/config.hpp"
#include "model/rope_frequencies.hpp"

namespace ponder {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 31;

Failure unsupported(std::string_view where, std::string_view field, std::string what) {
  return Failure{{.what = std::move(what),
                  .where = std::string(where) + ": field '" + std::string(field) + "'",
                  .mend = "supported model types: deepseek_v3 (V3, R1), deepseek_v2, qwen2, qwen3, "
                          "llama"}};
}

// One JSON object with the name of its file.
struct Fields {
  const Json& json;
  std::string_view where;

  Result<int64_t> size(std::string_view key, int64_t least = 1) const {
    return integer_field(json, key, where, {least, kMaxSize});
  }
  Result<int64_t> size_or(std::string_view key, int64_t absent, int64_t least = 0) const {
    return integer_field_or(json, key, where, absent, {least, kMaxSize});
  }
  Result<double> number_or(std::string_view key, double absent) const {
    return number_field_or(json, key, where, absent, {-1e30, 1e30});
  }
  Result<bool> flag(std::string_view key, bool absent) const {
    return bool_field_or(json, key, where, absent);
  }
  Result<std::string> text_or(std::string_view key, std::string_view absent) const {
    return text_field_or(json, key, where, absent);
  }
  // A flag or a text that must have its usual value.
  Result<void> must_be(std::string_view key, bool wanted) const {
    if (PONDER_TRY(flag(key, wanted)) == wanted) return {};
    return unsupported(where, key, std::string("must be ") + (wanted ? "true" : "false"));
  }
  Result<void> must_be(std::string_view key, std::string_view wanted) const {
    const std::string is = PONDER_TRY(text_or(key, wanted));
    if (is == wanted) return {};
    return unsupported(where, key,
                       "is " + printable(is) + "; only '" + std::string(wanted) + "' is supported");
  }
};

Result<Architecture> architecture_of(const Fields& fields) {
  const std::string type = PONDER_TRY(text_field(fields.json, "model_type", fields.where));
  for (const auto architecture :
       {Architecture::kDeepseekV2, Architecture::kDeepseekV3, Architecture::kQwen2,
        Architecture::kQwen3, Architecture::kLlama}) {
    if (type == architecture_name(architecture)) return architecture;
  }
  return unsupported(fields.where, "model_type", printable(type) + " is not supported");
}

Result<RopeScaling> scaling_kind(const Fields& fields) {
  const std::string old_name = PONDER_TRY(fields.text_or("type", "default"));
  const std::string kind = PONDER_TRY(fields.text_or("rope_type", old_name));
  if (kind == "default") return RopeScaling::kNone;
  if (kind == "linear") return RopeScaling::kLinear;
  if (kind == "yarn") return RopeScaling::kYarn;
  if (kind == "llama3") return RopeScaling::kLlama3;
  return unsupported(
      fields.where, "rope_scaling",
      "rope type " + printable(kind) + " is not supported (default, linear, yarn and llama3 are)");
}

Result<void> read_scaling(const Fields& fields, RopeScalingConfig& scaling) {
  scaling.kind = PONDER_TRY(scaling_kind(fields));
  if (scaling.kind == RopeScaling::kNone) return {};
  scaling.factor = PONDER_TRY(number_field(fields.json, "factor", fields.where));
  scaling.original_context =
      PONDER_TRY(fields.size_or("original_max_position_embeddings", scaling.original_context));
  scaling.beta_fast = PONDER_TRY(fields.number_or("beta_fast", scaling.beta_fast));
  scaling.beta_slow = PONDER_TRY(fields.number_or("beta_slow", scaling.beta_slow));
  scaling.mscale = PONDER_TRY(fields.number_or("mscale", 0.0));
  scaling.mscale_all_dim = PONDER_TRY(fields.number_or("mscale_all_dim", 0.0));
  if (find_field(fields.json, "attention_factor") != nullptr)
    scaling.attention_factor = PONDER_TRY(fields.number_or("attention_factor", 1.0));
  scaling.attn_factor = PONDER_TRY(fields.number_or("attn_factor", 1.0));
  scaling.low_freq_factor = PONDER_TRY(fields.number_or("low_freq_factor", 1.0));
  scaling.high_freq_factor = PONDER_TRY(fields.number_or("high_freq_factor", 4.0));
  return {};
}

// rope_theta and rope_scaling, or rope_parameters of newer files, which holds both.
Result<void> read_rope(const Fields& fields, Config& config) {
  config.rope.theta = PONDER_TRY(fields.number_or("rope_theta", 10000.0));
  config.rope.scaling.original_context = config.context;
  const Json* scaling = find_field(fields.json, "rope_scaling");
  if (const Json* newer = find_field(fields.json, "rope_parameters")) {
    scaling = newer;
    config.rope.theta =
        PONDER_TRY(number_field_or(*newer, "rope_theta", fields.where, config.rope.theta));
  }
  if (scaling == nullptr) return {};
  if (!scaling->is_object()) return unsupported(fields.where, "rope_scaling", "must be an object");
  const std::string where = std::string(fields.where) + ": rope_scaling";
  return read_scaling({*scaling, where}, config.rope.scaling);
}

Result<void> read_mla(const Fields& fields, Config& config) {
  MlaConfig mla;
  mla.q_rank = PONDER_TRY(fields.size_or("q_lora_rank", 0));
  mla.kv_rank = PONDER_TRY(fields.size("kv_lora_rank"));
  mla.nope_dim = PONDER_TRY(fields.size("qk_nope_head_dim"));
  mla.rope_dim = PONDER_TRY(fields.size("qk_rope_head_dim"));
  mla.value_dim = PONDER_TRY(fields.size("v_head_dim"));
  PONDER_TRY(fields.must_be("attention_bias", false));
  config.attention.head_dim = mla.nope_dim + mla.rope_dim;
  config.attention.kv_heads = config.attention.heads;
  config.attention.mla = mla;
  config.rope.dims = mla.rope_dim;
  config.rope.interleaved = true;
  return {};
}

Result<GateConfig> read_gate(const Fields& fields, bool v3) {
  GateConfig gate;
  gate.experts = static_cast<int>(
      PONDER_TRY(integer_field(fields.json, "n_routed_experts", fields.where, {1, 1 << 20})));
  gate.chosen = static_cast<int>(
      PONDER_TRY(integer_field(fields.json, "num_experts_per_tok", fields.where, {1, 1 << 20})));
  gate.groups = static_cast<int>(
      PONDER_TRY(integer_field_or(fields.json, "n_group", fields.where, 1, {1, 1 << 20})));
  gate.groups_kept = static_cast<int>(
      PONDER_TRY(integer_field_or(fields.json, "topk_group", fields.where, 1, {1, 1 << 20})));
  gate.scale = static_cast<float>(PONDER_TRY(fields.number_or("routed_scaling_factor", 1.0)));
  PONDER_TRY(fields.must_be("scoring_func", std::string_view(v3 ? "sigmoid" : "softmax")));
  gate.score = v3 ? GateScore::kSigmoid : GateScore::kSoftmax;
  if (v3) {
    PONDER_TRY(fields.must_be("topk_method", std::string_view("noaux_tc")));
    gate.choice = GateChoice::kGroupTop2;
    gate.normalise = PONDER_TRY(fields.flag("norm_topk_prob", true));
    return gate;
  }
  // V2's own code ignores norm_topk_prob (model-spec §18), and no V2 model sets it.
  PONDER_TRY(fields.must_be("norm_topk_prob", false));
  const std::string method = PONDER_TRY(fields.text_or("topk_method", "greedy"));
  if (method != "greedy" && method != "group_limited_greedy") {
    return unsupported(fields.where, "topk_method", printable(method) + " is not supported");
  }
  gate.choice = method == "greedy" ? GateChoice::kGreedy : GateChoice::kGroupMax;
  return gate;
}

Result<void> read_moe(const Fields& fields, Config& config) {
  if (find_field(fields.json, "n_routed_experts") == nullptr) return {};
  const bool v3 = config.architecture == Architecture::kDeepseekV3;
  MoeConfig moe;
  moe.gate = PONDER_TRY(read_gate(fields, v3));
  moe.width = PONDER_TRY(fields.size("moe_intermediate_size"));
  const int64_t shared =
      PONDER_TRY(integer_field_or(fields.json, "n_shared_experts", fields.where, 0, {0, 1 << 16}));
  moe.shared_width = shared * moe.width;
  moe.first_layer = PONDER_TRY(fields.size_or("first_k_dense_replace", 0));
  moe.correction_bias = v3;
  if (PONDER_TRY(fields.size_or("moe_layer_freq", 1)) != 1)
    return unsupported(fields.where, "moe_layer_freq", "must be 1");
  config.moe = moe;
  return {};
}

Result<void> read_gqa(const Fields& fields, Config& config) {
  AttentionConfig& a = config.attention;
  a.kv_heads = PONDER_TRY(fields.size_or("num_key_value_heads", a.heads, 1));
  const bool qwen3 = config.architecture == Architecture::kQwen3;
  a.head_dim = PONDER_TRY(fields.size_or("head_dim", qwen3 ? 128 : config.hidden / a.heads, 1));
  a.qkv_bias = config.architecture == Architecture::kQwen2;
  a.qk_norm = qwen3;
  if (!a.qkv_bias) PONDER_TRY(fields.must_be("attention_bias", false));
  PONDER_TRY(fields.must_be("mlp_bias", false));
  PONDER_TRY(fields.must_be("use_sliding_window", false));
  config.rope.dims = a.head_dim;
  return {};
}

// Weights may be fp8 in blocks of 128×128 (model-spec §7); other packings have other tensors.
Result<void> check_quantization(const Fields& fields) {
  const Json* section = find_field(fields.json, "quantization_config");
  if (section == nullptr) return {};
  if (!section->is_object())
    return unsupported(fields.where, "quantization_config", "must be an object");
  const std::string where = std::string(fields.where) + ": quantization_config";
  const Fields inner{*section, where};
  PONDER_TRY(inner.must_be("quant_method", std::string_view("fp8")));
  const Json* block = find_field(*section, "weight_block_size");
  if (block != nullptr && *block == Json::array({128, 128})) return {};
  return unsupported(where, "weight_block_size", "must be [128, 128]");
}

}  // namespace

Result<Config> config_from_json(std::string_view text, std::string_view where) {
  const Json json = PONDER_TRY(parse_json(text, where));
  const Fields fields{json, where};
  Config config;
  config.architecture = PONDER_TRY(architecture_of(fields));
  const bool deepseek = config.architecture == Architecture::kDeepseekV2 ||
                        config.architecture == Architecture::kDeepseekV3;
  config.vocab = PONDER_TRY(fields.size("vocab_size"));
  config.hidden = PONDER_TRY(fields.size("hidden_size"));
  config.layers = PONDER_TRY(fields.size("num_hidden_layers"));
  config.ffn_width = PONDER_TRY(fields.size("intermediate_size"));
  config.attention.heads = PONDER_TRY(fields.size("num_attention_heads"));
  config.context = PONDER_TRY(fields.size_or("max_position_embeddings", 4096));
  config.epsilon = static_cast<float>(PONDER_TRY(fields.number_or("rms_norm_eps", 1e-6)));
  config.initializer_range = PONDER_TRY(fields.number_or("initializer_range", 0.02));
  config.tied = PONDER_TRY(fields.flag("tie_word_embeddings", false));
  PONDER_TRY(fields.must_be("hidden_act", std::string_view("silu")));
  PONDER_TRY(check_quantization(fields));
  PONDER_TRY(read_rope(fields, config));
  if (deepseek) {
    config.mtp_layers = PONDER_TRY(fields.size_or("num_nextn_predict_layers", 0));
    PONDER_TRY(read_mla(fields, config));
    PONDER_TRY(read_moe(fields, config));
  } else {
    PONDER_TRY(read_gqa(fields, config));
  }
  PONDER_TRY(validate_config(config, where));
  derive_constants(config);
  return config;
}

}  // namespace ponder
