// Figures: model-spec §2, §3, §5 and §8; the config.json files of the models.
#include "model/named_shapes.hpp"

#include <algorithm>
#include <charconv>

#include "io/printable.hpp"

namespace ponder {
namespace {

struct Entry {
  std::string_view name;
  std::string_view pretokenizer;
  std::string_view json;  // config.json
};

constexpr Entry kShapes[] = {
    {"qwen2-0.5b", "qwen2",
     R"({"model_type": "qwen2", "vocab_size": 151936, "hidden_size": 896, "num_hidden_layers": 24,
         "num_attention_heads": 14, "num_key_value_heads": 2, "intermediate_size": 4864,
         "max_position_embeddings": 32768, "rope_theta": 1e6, "tie_word_embeddings": true})"},
    {"qwen2-1.5b", "qwen2",
     R"({"model_type": "qwen2", "vocab_size": 151936, "hidden_size": 1536, "num_hidden_layers": 28,
         "num_attention_heads": 12, "num_key_value_heads": 2, "intermediate_size": 8960,
         "max_position_embeddings": 131072, "rope_theta": 1e4})"},
    {"qwen2-7b", "qwen2",
     R"({"model_type": "qwen2", "vocab_size": 152064, "hidden_size": 3584, "num_hidden_layers": 28,
         "num_attention_heads": 28, "num_key_value_heads": 4, "intermediate_size": 18944,
         "max_position_embeddings": 131072, "rope_theta": 1e4})"},
    {"qwen2-14b", "qwen2",
     R"({"model_type": "qwen2", "vocab_size": 152064, "hidden_size": 5120, "num_hidden_layers": 48,
         "num_attention_heads": 40, "num_key_value_heads": 8, "intermediate_size": 13824,
         "max_position_embeddings": 131072, "rope_theta": 1e6, "rms_norm_eps": 1e-5})"},
    {"qwen2-32b", "qwen2",
     R"({"model_type": "qwen2", "vocab_size": 152064, "hidden_size": 5120, "num_hidden_layers": 64,
         "num_attention_heads": 40, "num_key_value_heads": 8, "intermediate_size": 27648,
         "max_position_embeddings": 131072, "rope_theta": 1e6, "rms_norm_eps": 1e-5})"},
    {"qwen3-8b", "qwen2",
     R"({"model_type": "qwen3", "vocab_size": 151936, "hidden_size": 4096, "num_hidden_layers": 36,
         "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
         "intermediate_size": 12288, "max_position_embeddings": 131072, "rope_theta": 1e6,
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "attn_factor": 0.8782488562869419,
                          "original_max_position_embeddings": 32768}})"},
    {"llama3-8b", "llama-bpe",
     R"({"model_type": "llama", "vocab_size": 128256, "hidden_size": 4096, "num_hidden_layers": 32,
         "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
         "max_position_embeddings": 131072, "rope_theta": 5e5, "rms_norm_eps": 1e-5,
         "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                          "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}})"},
    {"llama3-70b", "llama-bpe",
     R"({"model_type": "llama", "vocab_size": 128256, "hidden_size": 8192, "num_hidden_layers": 80,
         "num_attention_heads": 64, "num_key_value_heads": 8, "intermediate_size": 28672,
         "max_position_embeddings": 131072, "rope_theta": 5e5, "rms_norm_eps": 1e-5,
         "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                          "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}})"},
    {"deepseek-v2-lite", "deepseek-llm",
     R"({"model_type": "deepseek_v2", "vocab_size": 102400, "hidden_size": 2048,
         "num_hidden_layers": 27, "num_attention_heads": 16, "intermediate_size": 10944,
         "q_lora_rank": null, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
         "v_head_dim": 128, "moe_intermediate_size": 1408, "n_routed_experts": 64,
         "num_experts_per_tok": 6, "n_shared_experts": 2, "first_k_dense_replace": 1,
         "routed_scaling_factor": 1.0, "topk_method": "greedy", "norm_topk_prob": false,
         "max_position_embeddings": 163840, "rope_theta": 1e4,
         "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096,
                          "beta_fast": 32, "beta_slow": 1, "mscale": 0.707,
                          "mscale_all_dim": 0.707}})"},
    {"deepseek-v3", "deepseek-v3",
     R"({"model_type": "deepseek_v3", "vocab_size": 129280, "hidden_size": 7168,
         "num_hidden_layers": 61, "num_attention_heads": 128, "intermediate_size": 18432,
         "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
         "v_head_dim": 128, "moe_intermediate_size": 2048, "n_routed_experts": 256,
         "num_experts_per_tok": 8, "n_shared_experts": 1, "first_k_dense_replace": 3, "n_group": 8,
         "topk_group": 4, "routed_scaling_factor": 2.5, "max_position_embeddings": 163840,
         "rope_theta": 1e4,
         "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096,
                          "beta_fast": 32, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0}})"},
    {"qwen2-tiny", "qwen2",
     R"({"model_type": "qwen2", "vocab_size": 1024, "hidden_size": 256, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 512,
         "max_position_embeddings": 4096, "rope_theta": 1e4})"},
    {"qwen3-tiny", "qwen2",
     R"({"model_type": "qwen3", "vocab_size": 1024, "hidden_size": 256, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 128,
         "intermediate_size": 512, "max_position_embeddings": 4096, "rope_theta": 1e6,
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "attn_factor": 0.8782488562869419,
                          "original_max_position_embeddings": 1024}})"},
    {"llama3-tiny", "llama-bpe",
     R"({"model_type": "llama", "vocab_size": 1024, "hidden_size": 256, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 512,
         "max_position_embeddings": 4096, "rope_theta": 5e5, "rms_norm_eps": 1e-5,
         "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                          "high_freq_factor": 4.0, "original_max_position_embeddings": 512}})"},
    {"deepseek-v2-tiny", "deepseek-llm",
     R"({"model_type": "deepseek_v2", "vocab_size": 1024, "hidden_size": 256,
         "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 512,
         "q_lora_rank": null, "kv_lora_rank": 128, "qk_nope_head_dim": 64, "qk_rope_head_dim": 32,
         "v_head_dim": 64, "moe_intermediate_size": 256, "n_routed_experts": 16,
         "num_experts_per_tok": 4, "n_shared_experts": 2, "first_k_dense_replace": 1,
         "routed_scaling_factor": 1.0, "topk_method": "greedy", "norm_topk_prob": false,
         "max_position_embeddings": 4096, "rope_theta": 1e4,
         "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 1024,
                          "mscale": 0.707, "mscale_all_dim": 0.707}})"},
    {"deepseek-v3-tiny", "deepseek-v3",
     R"({"model_type": "deepseek_v3", "vocab_size": 1024, "hidden_size": 256,
         "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 512,
         "q_lora_rank": 256, "kv_lora_rank": 128, "qk_nope_head_dim": 64, "qk_rope_head_dim": 32,
         "v_head_dim": 64, "moe_intermediate_size": 256, "n_routed_experts": 16,
         "num_experts_per_tok": 4, "n_shared_experts": 1, "first_k_dense_replace": 1, "n_group": 4,
         "topk_group": 2, "routed_scaling_factor": 2.5, "max_position_embeddings": 4096,
         "rope_theta": 1e4,
         "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 1024,
                          "mscale": 1.0, "mscale_all_dim": 1.0}})"},
};

struct Parts {
  std::string_view base;
  std::optional<int64_t> layers;
};

// "deepseek-v3-4-layers" → deepseek-v3 and 4.
Parts split_name(std::string_view name) {
  constexpr std::string_view kTail = "-layers";
  if (!name.ends_with(kTail)) return {name, {}};
  const std::string_view rest = name.substr(0, name.size() - kTail.size());
  const size_t dash = rest.rfind('-');
  if (dash == std::string_view::npos) return {name, {}};
  int64_t layers = 0;
  const char* end = rest.data() + rest.size();
  const auto [stop, error] = std::from_chars(rest.data() + dash + 1, end, layers);
  if (error != std::errc() || stop != end) return {name, {}};
  return {rest.substr(0, dash), layers};
}

}  // namespace

std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kShapes) names.emplace_back(entry.name);
  return names;
}

Result<NamedShape> named_shape(std::string_view name, std::optional<int64_t> layers) {
  const Parts parts = split_name(name);
  const auto* entry = std::find_if(std::begin(kShapes), std::end(kShapes),
                                   [&](const Entry& e) { return e.name == parts.base; });
  if (entry == std::end(kShapes)) {
    std::string known;
    for (const Entry& e : kShapes) known += (known.empty() ? "" : ", ") + std::string(e.name);
    return Failure{{.what = "unknown shape " + printable(name),
                    .where = "--shape",
                    .mend = "shapes are " + known + "; each also as NAME-N-layers"}};
  }
  if (layers && parts.layers && *layers != *parts.layers)
    return Failure{{.what = "contradicts the shape " + printable(name), .where = "--layers"}};
  NamedShape shape{std::string(name), std::string(entry->pretokenizer),
                   PONDER_TRY(config_from_json(entry->json, entry->name))};
  Config& config = shape.config;
  config.layers = layers.value_or(parts.layers.value_or(config.layers));
  if (config.moe) config.moe->first_layer = std::min(config.moe->first_layer, config.layers);
  PONDER_TRY(validate_config(config, name));
  return shape;
}

}  // namespace ponder
