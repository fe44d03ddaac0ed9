// What a model is: sizes and constants, read from config.json or GGUF metadata and checked once.
// Sources: model-spec §2-§5, §8, §14; the config classes of Hugging Face transformers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ops/gate/gate.hpp"

namespace ponder {

class GgufFile;

enum class Architecture { kDeepseekV2, kDeepseekV3, kQwen2, kQwen3, kLlama };

std::string_view architecture_name(Architecture architecture);  // model_type: "deepseek_v3" …

// How the base frequencies of the rotary embedding are changed for long contexts (model-spec §4).
// kFactors: divisors of the frequencies given one by one (GGUF's rope_freqs).
enum class RopeScaling { kNone, kLinear, kYarn, kLlama3, kFactors };

struct RopeScalingConfig {
  RopeScaling kind = RopeScaling::kNone;
  double factor = 1.0;
  int64_t original_context = 0;
  double beta_fast = 32.0, beta_slow = 1.0;              // YaRN
  double mscale = 0.0, mscale_all_dim = 0.0;             // DeepSeek's YaRN; 0: not given
  std::optional<double> attention_factor;                // YaRN: the amplitude itself
  double attn_factor = 1.0;                              // YaRN: multiplies the amplitude
  double low_freq_factor = 1.0, high_freq_factor = 4.0;  // Llama 3
};

struct RopeConfig {
  double theta = 10000.0;
  int64_t dims = 0;          // d, even: rotated elements of a head
  bool interleaved = false;  // pairs (2j, 2j+1) if true, else (j, j + d/2)
  RopeScalingConfig scaling;
  std::vector<float> inv_freq;  // (d/2): f_j, scaled
  float amplitude = 1.0f;       // a, on cos and sin
};

// Multi-head latent attention (model-spec §3).
struct MlaConfig {
  int64_t q_rank = 0;     // 0: q is projected directly
  int64_t kv_rank = 0;    // rk
  int64_t nope_dim = 0;   // dn
  int64_t rope_dim = 0;   // dr
  int64_t value_dim = 0;  // dv
};

struct AttentionConfig {
  int64_t heads = 0;     // h
  int64_t kv_heads = 0;  // heads that keys and values have; divides h
  int64_t head_dim = 0;  // of queries and keys; MLA: dn + dr
  float scale = 1.0f;    // of the scores; for MLA with YaRN's m² in it
  bool qkv_bias = false;
  bool qk_norm = false;  // RMS norm per head before the rotation
  std::optional<MlaConfig> mla;
};

struct MoeConfig {
  GateConfig gate;
  int64_t width = 0;         // I of one expert
  int64_t shared_width = 0;  // of the shared expert; 0: none
  int64_t first_layer = 0;   // layers before it are dense
  bool correction_bias = false;
};

struct Config {
  Architecture architecture = Architecture::kLlama;
  int64_t vocab = 0;                // V
  int64_t hidden = 0;               // H
  int64_t layers = 0;               // L, without MTP
  int64_t mtp_layers = 0;           // multi-token-prediction blocks that the description announces
  int64_t ffn_width = 0;            // I of the dense layers
  int64_t context = 0;              // positions the model was made for
  float epsilon = 1e-6f;            // of the RMS norms
  double initializer_range = 0.02;  // deviation of the matrices of an untrained model
  bool tied = false;                // the output matrix is the embedding
  AttentionConfig attention;
  RopeConfig rope;
  std::optional<MoeConfig> moe;

  bool is_moe_layer(int64_t layer) const { return moe && layer >= moe->first_layer; }
};

// From the text of a config.json. `where` names it in errors. Every value is checked: no size that
// follows from an accepted Config overflows, no head count is zero, groups divide experts.
Result<Config> config_from_json(std::string_view text, std::string_view where);

// From the metadata of a GGUF file and, for what has no key (biases, tied output, rope_freqs), from
// its table of tensors. Architectures: deepseek2, qwen2, qwen3, llama.
Result<Config> config_from_gguf(const GgufFile& file);

// Checks what every reader of a Config relies on; called by both readers. `where` as above.
Result<void> validate_config(const Config& config, std::string_view where);

// Sizes of the model in parameters: all, and those that work on one token (k of E experts).
struct ParameterCount {
  int64_t total = 0;
  int64_t active = 0;
  int64_t mtp = 0;  // not counted in the two others
};
ParameterCount count_parameters(const Config& config);

}  // namespace ponder
