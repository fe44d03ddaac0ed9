// Metadata of GGUF files (model-spec §14; keys: ggml's docs/gguf.md).
#include <algorithm>
#include <cmath>
#include <cstring>

#include "io/gguf.hpp"
#include "io/printable.hpp"
#include "model/config.hpp"
#include "model/params.hpp"
#include "model/rope_frequencies.hpp"

namespace ponder {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 31;

Failure damaged(const GgufFile& file, std::string_view place, std::string what) {
  return Failure{{.what = std::move(what),
                  .where = file.path().string() + ": " + std::string(place),
                  .mend = "get the file again, or convert the model again"}};
}

// The keys of one architecture: "<arch>.<name>".
struct Keys {
  const GgufFile& file;
  std::string arch;

  std::string key(std::string_view name) const { return arch + "." + std::string(name); }
  bool has(std::string_view name) const { return file.find(key(name)) != nullptr; }
  Result<int64_t> in_range(std::string_view name, Result<int64_t> found, int64_t least) const {
    const int64_t value = PONDER_TRY(std::move(found));
    if (value >= least && value <= kMaxSize) return value;
    return damaged(file, "key '" + key(name) + "'",
                   "is " + std::to_string(value) + ", must be from " + std::to_string(least) +
                       " to " + std::to_string(kMaxSize));
  }
  Result<int64_t> size(std::string_view name) const {
    return in_range(name, file.integer(key(name)), 1);
  }
  Result<int64_t> size_or(std::string_view name, int64_t absent) const {
    return in_range(name, file.integer_or(key(name), absent), 0);
  }
  Result<double> number_or(std::string_view name, double absent) const {
    return file.number_or(key(name), absent);
  }
};

bool has_tensor(const GgufFile& file, std::string_view name) {
  return file.tensors().find(name) != nullptr;
}

Result<int64_t> vocabulary(const Keys& keys) {
  const TensorView* table = keys.file.tensors().find("token_embd.weight");
  if (table != nullptr && table->shape.rank == 2) return table->shape[0];
  if (keys.has("vocab_size")) return keys.size("vocab_size");
  const GgufValue* tokens = keys.file.find("tokenizer.ggml.tokens");
  if (tokens != nullptr && tokens->type == GgufType::kArray && tokens->count <= kMaxSize)
    return static_cast<int64_t>(tokens->count);
  return damaged(keys.file, "key '" + keys.key("vocab_size") + "'", "is missing");
}

Result<void> read_scaling(const Keys& keys, Config& config) {
  RopeScalingConfig& s = config.rope.scaling;
  const std::string kind = PONDER_TRY(keys.file.text_or(keys.key("rope.scaling.type"), "none"));
  const double old_factor = PONDER_TRY(keys.number_or("rope.scale_linear", 1.0));
  s.factor = PONDER_TRY(keys.number_or("rope.scaling.factor", old_factor));
  s.original_context =
      PONDER_TRY(keys.size_or("rope.scaling.original_context_length", config.context));
  if (kind == "yarn") {
    s.kind = RopeScaling::kYarn;
    s.attn_factor = PONDER_TRY(keys.number_or("rope.scaling.attn_factor", 1.0));
    s.beta_fast = PONDER_TRY(keys.number_or("rope.scaling.yarn_beta_fast", s.beta_fast));
    s.beta_slow = PONDER_TRY(keys.number_or("rope.scaling.yarn_beta_slow", s.beta_slow));
    if (config.attention.mla) {
      // The key holds 0.1·mscale_all_dim. mscale has no key: it equals mscale_all_dim in every
      // DeepSeek model, which makes the amplitude 1.
      const double multiplier = PONDER_TRY(keys.number_or("rope.scaling.yarn_log_multiplier", 0.0));
      s.mscale_all_dim = std::round(1e7 * multiplier) / 1e6;  // of an f32: its noise cut off
      s.mscale = s.mscale_all_dim;
      s.attention_factor = 1.0;
    }
  } else if (kind == "linear" || (kind == "none" && s.factor != 1.0)) {
    s.kind = RopeScaling::kLinear;
  } else if (kind != "none") {
    return Failure{{.what = "rope scaling " + printable(kind) + " is not supported",
                    .where = keys.file.path().string(),
                    .mend = "none, linear and yarn are"}};
  }
  return {};
}

// The divisors of rope_freqs.weight, which replace every other scaling (Llama 3.1 and later).
Result<void> apply_rope_factors(const GgufFile& file, RopeConfig& rope) {
  const TensorView* factors = file.tensors().find("rope_freqs.weight");
  if (factors == nullptr) return {};
  if (factors->dtype != DType::kF32 || factors->shape != Shape::of({rope.dims / 2}))
    return damaged(file, "tensor 'rope_freqs.weight'",
                   "must be f32 (" + std::to_string(rope.dims / 2) + "), is " +
                       std::string(dtype_name(factors->dtype)) + " " + factors->shape.text());
  if (rope.scaling.kind != RopeScaling::kNone && rope.scaling.kind != RopeScaling::kLinear)
    return damaged(file, "tensor 'rope_freqs.weight'", "contradicts the rope scaling of the keys");
  rope.scaling.kind = RopeScaling::kFactors;
  rope.inv_freq = rope_frequencies(rope.theta, rope.dims, rope.scaling);
  for (size_t j = 0; j < rope.inv_freq.size(); ++j) {
    float factor;
    std::memcpy(&factor, factors->bytes.data() + j * sizeof(float), sizeof(float));
    if (!(factor >= 1e-6f && factor <= 1e6f))
      return damaged(file, "tensor 'rope_freqs.weight'", "has an impossible factor");
    rope.inv_freq[j] /= factor;
  }
  return {};
}

Result<void> read_mla(const Keys& keys, Config& config) {
  MlaConfig mla;
  mla.q_rank = PONDER_TRY(keys.size_or("attention.q_lora_rank", 0));
  mla.kv_rank = PONDER_TRY(keys.size("attention.kv_lora_rank"));
  mla.rope_dim = PONDER_TRY(keys.size("rope.dimension_count"));
  // Older files give the sizes of decompressed heads where newer ones have those of the cache.
  const bool newer = keys.has("attention.key_length_mla");
  config.attention.head_dim =
      PONDER_TRY(keys.size(newer ? "attention.key_length_mla" : "attention.key_length"));
  mla.value_dim =
      PONDER_TRY(keys.size(newer ? "attention.value_length_mla" : "attention.value_length"));
  mla.nope_dim = config.attention.head_dim - mla.rope_dim;
  config.attention.kv_heads = config.attention.heads;
  config.attention.mla = mla;
  config.rope.dims = mla.rope_dim;
  config.rope.interleaved = true;
  return {};
}

// The groups of models whose files were made before the format had keys for them.
void guess_groups(GateConfig& gate) {
  if (gate.score == GateScore::kSigmoid && gate.experts == 256 && gate.chosen == 8) {
    gate.groups = 8;  // V3, R1
    gate.groups_kept = 4;
  } else if (gate.score == GateScore::kSoftmax && gate.experts == 160 && gate.chosen == 6) {
    gate.groups = 8;  // V2, 236B
    gate.groups_kept = 3;
  }
}

Result<void> read_moe(const Keys& keys, Config& config) {
  const int64_t experts = PONDER_TRY(keys.size_or("expert_count", 0));
  if (experts == 0) return {};
  MoeConfig moe;
  moe.gate.experts = static_cast<int>(std::min(experts, kMaxSize - 1));
  moe.gate.chosen =
      static_cast<int>(std::min(PONDER_TRY(keys.size("expert_used_count")), kMaxSize - 1));
  moe.width = PONDER_TRY(keys.size("expert_feed_forward_length"));
  moe.first_layer = PONDER_TRY(keys.size_or("leading_dense_block_count", 0));
  const int64_t shared = PONDER_TRY(keys.size_or("expert_shared_count", 0));
  moe.shared_width = shared * moe.width;
  const ParamInfo bias{ParamKind::kRouterBias, moe.first_layer, {}};
  moe.correction_bias = has_tensor(keys.file, gguf_name(bias));
  // 1 softmax, 2 sigmoid.
  const int64_t function =
      PONDER_TRY(keys.size_or("expert_gating_func", moe.correction_bias ? 2 : 1));
  if (function != 1 && function != 2)
    return damaged(keys.file, "key '" + keys.key("expert_gating_func") + "'",
                   "is neither softmax (1) nor sigmoid (2)");
  const bool v3 = function == 2;
  moe.gate.score = v3 ? GateScore::kSigmoid : GateScore::kSoftmax;
  const double scale = PONDER_TRY(keys.number_or("expert_weights_scale", 1.0));
  moe.gate.scale = scale == 0.0 ? 1.0f : static_cast<float>(scale);
  moe.gate.normalise = PONDER_TRY(keys.file.boolean_or(keys.key("expert_weights_norm"), v3));
  guess_groups(moe.gate);
  moe.gate.groups = static_cast<int>(
      std::min(PONDER_TRY(keys.size_or("expert_group_count", moe.gate.groups)), kMaxSize - 1));
  moe.gate.groups_kept = static_cast<int>(std::min(
      PONDER_TRY(keys.size_or("expert_group_used_count", moe.gate.groups_kept)), kMaxSize - 1));
  moe.gate.choice = v3                    ? GateChoice::kGroupTop2
                    : moe.gate.groups > 1 ? GateChoice::kGroupMax
                                          : GateChoice::kGreedy;
  config.architecture = v3 ? Architecture::kDeepseekV3 : Architecture::kDeepseekV2;
  config.moe = moe;
  return {};
}

Result<void> read_gqa(const Keys& keys, Config& config) {
  AttentionConfig& a = config.attention;
  a.kv_heads = PONDER_TRY(keys.size_or("attention.head_count_kv", a.heads));
  a.head_dim = PONDER_TRY(keys.size_or("attention.key_length", config.hidden / a.heads));
  if (PONDER_TRY(keys.size_or("attention.value_length", a.head_dim)) != a.head_dim)
    return damaged(keys.file, "key '" + keys.key("attention.value_length") + "'",
                   "differs from the key length, which is not supported");
  const ParamInfo bias{ParamKind::kQBias, 0, {}};
  a.qkv_bias =
      config.architecture == Architecture::kQwen2 || has_tensor(keys.file, gguf_name(bias));
  a.qk_norm = config.architecture == Architecture::kQwen3;
  // Files of this architecture have the rows of q and k permuted for interleaved rotation.
  config.rope.interleaved = config.architecture == Architecture::kLlama;
  config.rope.dims = PONDER_TRY(keys.size_or("rope.dimension_count", a.head_dim));
  if (PONDER_TRY(keys.size_or("expert_count", 0)) != 0)
    return damaged(keys.file, "key '" + keys.key("expert_count") + "'",
                   "experts of this architecture are not supported");
  return {};
}

Result<Architecture> architecture_of(const GgufFile& file) {
  const std::string arch = PONDER_TRY(file.text("general.architecture"));
  if (arch == "deepseek2") return Architecture::kDeepseekV2;  // or V3: read_moe() tells
  if (arch == "qwen2") return Architecture::kQwen2;
  if (arch == "qwen3") return Architecture::kQwen3;
  if (arch == "llama") return Architecture::kLlama;
  return Failure{{.what = "architecture " + printable(arch) + " is not supported",
                  .where = file.path().string() + ": key 'general.architecture'",
                  .mend = "supported: deepseek2 (DeepSeek V2, V3, R1), qwen2, qwen3, llama"}};
}

}  // namespace

Result<Config> config_from_gguf(const GgufFile& file) {
  Config config;
  config.architecture = PONDER_TRY(architecture_of(file));
  const Keys keys{file, PONDER_TRY(file.text("general.architecture"))};
  config.vocab = PONDER_TRY(vocabulary(keys));
  config.hidden = PONDER_TRY(keys.size("embedding_length"));
  config.layers = PONDER_TRY(keys.size("block_count"));
  config.mtp_layers = PONDER_TRY(keys.size_or("nextn_predict_layers", 0));
  config.layers -= config.mtp_layers;  // block_count counts both
  config.ffn_width = PONDER_TRY(keys.size("feed_forward_length"));
  config.context = PONDER_TRY(keys.size_or("context_length", 4096));
  config.epsilon =
      static_cast<float>(PONDER_TRY(keys.number_or("attention.layer_norm_rms_epsilon", 1e-6)));
  config.attention.heads = PONDER_TRY(keys.size("attention.head_count"));
  config.rope.theta = PONDER_TRY(keys.number_or("rope.freq_base", 10000.0));
  const bool metadata_only = file.tensors().names().empty();
  config.tied = !metadata_only && !has_tensor(file, "output.weight");
  if (config.architecture == Architecture::kDeepseekV2) {
    PONDER_TRY(read_mla(keys, config));
    PONDER_TRY(read_moe(keys, config));
  } else {
    PONDER_TRY(read_gqa(keys, config));
  }
  PONDER_TRY(read_scaling(keys, config));
  PONDER_TRY(validate_config(config, file.path().string()));
  derive_constants(config);
  PONDER_TRY(apply_rope_factors(file, config.rope));
  return config;
}

}  // namespace ponder
