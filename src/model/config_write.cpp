#include "model/config_write.hpp"

#include "io/json.hpp"

namespace ponder {
namespace {

std::string class_name(Architecture architecture) {
  if (architecture == Architecture::kDeepseekV2) return "DeepseekV2ForCausalLM";
  if (architecture == Architecture::kDeepseekV3) return "DeepseekV3ForCausalLM";
  if (architecture == Architecture::kQwen2) return "Qwen2ForCausalLM";
  if (architecture == Architecture::kQwen3) return "Qwen3ForCausalLM";
  return "LlamaForCausalLM";
}

void write_mla(const Config& config, OrderedJson& json) {
  const MlaConfig& m = *config.attention.mla;
  json["q_lora_rank"] = m.q_rank > 0 ? OrderedJson(m.q_rank) : OrderedJson(nullptr);
  json["kv_lora_rank"] = m.kv_rank;
  json["qk_nope_head_dim"] = m.nope_dim;
  json["qk_rope_head_dim"] = m.rope_dim;
  json["v_head_dim"] = m.value_dim;
  json["num_nextn_predict_layers"] = config.mtp_layers;
}

void write_moe(const MoeConfig& moe, OrderedJson& json) {
  const GateConfig& g = moe.gate;
  const bool v3 = g.choice == GateChoice::kGroupTop2;
  json["moe_intermediate_size"] = moe.width;
  json["n_routed_experts"] = g.experts;
  json["n_shared_experts"] = moe.shared_width / moe.width;
  json["num_experts_per_tok"] = g.chosen;
  json["first_k_dense_replace"] = moe.first_layer;
  json["moe_layer_freq"] = 1;
  json["n_group"] = g.groups;
  json["topk_group"] = g.groups_kept;
  json["routed_scaling_factor"] = g.scale;
  json["scoring_func"] = v3 ? "sigmoid" : "softmax";
  json["norm_topk_prob"] = g.normalise;
  json["topk_method"] = v3                                  ? "noaux_tc"
                        : g.choice == GateChoice::kGroupMax ? "group_limited_greedy"
                                                            : "greedy";
}

Result<OrderedJson> scaling_json(const RopeScalingConfig& s) {
  OrderedJson json;
  if (s.kind == RopeScaling::kFactors) {
    return Failure{{.what = "its rope factors, given one by one, have no key in config.json",
                    .mend = "start from the safetensors of the model instead of its GGUF"}};
  }
  json["rope_type"] = s.kind == RopeScaling::kLinear ? "linear"
                      : s.kind == RopeScaling::kYarn ? "yarn"
                                                     : "llama3";
  json["factor"] = s.factor;
  json["original_max_position_embeddings"] = s.original_context;
  if (s.kind == RopeScaling::kYarn) {
    json["beta_fast"] = s.beta_fast;
    json["beta_slow"] = s.beta_slow;
    json["mscale"] = s.mscale;
    json["mscale_all_dim"] = s.mscale_all_dim;
    if (s.attention_factor) json["attention_factor"] = *s.attention_factor;
    json["attn_factor"] = s.attn_factor;
  }
  if (s.kind == RopeScaling::kLlama3) {
    json["low_freq_factor"] = s.low_freq_factor;
    json["high_freq_factor"] = s.high_freq_factor;
  }
  return json;
}

}  // namespace

Result<std::string> config_to_json(const Config& config) {
  const AttentionConfig& a = config.attention;
  OrderedJson json;
  json["architectures"] = OrderedJson::array({class_name(config.architecture)});
  json["model_type"] = architecture_name(config.architecture);
  json["vocab_size"] = config.vocab;
  json["hidden_size"] = config.hidden;
  json["intermediate_size"] = config.ffn_width;
  json["num_hidden_layers"] = config.layers;
  json["num_attention_heads"] = a.heads;
  json["num_key_value_heads"] = a.kv_heads;
  json["max_position_embeddings"] = config.context;
  json["rms_norm_eps"] = config.epsilon;
  json["initializer_range"] = config.initializer_range;
  json["tie_word_embeddings"] = config.tied;
  json["hidden_act"] = "silu";
  json["attention_bias"] = a.qkv_bias;
  json["rope_theta"] = config.rope.theta;
  json["rope_scaling"] = nullptr;
  if (config.rope.scaling.kind != RopeScaling::kNone)
    json["rope_scaling"] = PONDER_TRY(scaling_json(config.rope.scaling));
  if (a.mla) {
    write_mla(config, json);
  } else {
    json["head_dim"] = a.head_dim;
  }
  if (config.moe) write_moe(*config.moe, json);
  return json.dump(2) + "\n";
}

}  // namespace ponder
