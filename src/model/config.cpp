#include "model/config.hpp"

#include <array>
#include <cmath>

#include "model/params.hpp"

namespace ponder {
namespace {

// Far above every real model, low enough that no product of sizes wraps.
constexpr int64_t kMaxVocab = int64_t{1} << 24;
constexpr int64_t kMaxWidth = int64_t{1} << 22;
constexpr int64_t kMaxLayers = 1024;
constexpr int64_t kMaxHeads = 4096;
constexpr int64_t kMaxHeadDim = 8192;
constexpr int64_t kMaxContext = int64_t{1} << 30;
constexpr double kMaxParameters = 1e15;

// Collects the first broken rule.
class Rules {
 public:
  explicit Rules(std::string_view where) : where_(where) {}

  void range(std::string_view field, int64_t value, int64_t least, int64_t most) {
    if (value >= least && value <= most) return;
    fail(field, "is " + std::to_string(value) + ", must be from " + std::to_string(least) + " to " +
                    std::to_string(most));
  }
  void number(std::string_view field, double value, double least, double most) {
    if (value >= least && value <= most) return;  // false for NaN
    fail(field, "is " + std::to_string(value) + ", out of range");
  }
  void holds(std::string_view field, bool condition, std::string_view what) {
    if (!condition) fail(field, std::string(what));
  }
  bool ok() const { return what_.empty(); }
  Result<void> result() && {
    if (what_.empty()) return {};
    return Failure{{.what = std::move(what_),
                    .where = std::move(place_),
                    .mend = "the file is damaged or not of a supported model; get it again"}};
  }

 private:
  void fail(std::string_view field, std::string what) {
    if (!what_.empty()) return;
    what_ = std::move(what);
    place_ = std::string(where_) + ": " + std::string(field);
  }
  std::string_view where_;
  std::string what_, place_;
};

void check_rope(const Config& c, Rules& rules) {
  const RopeScalingConfig& s = c.rope.scaling;
  rules.number("rope theta", c.rope.theta, 1.0 + 1e-6, 1e12);
  rules.range("rope dimensions", c.rope.dims, 2, c.attention.head_dim);
  rules.holds("rope dimensions", c.rope.dims % 2 == 0, "must be even");
  rules.number("rope scaling factor", s.factor, 1e-3, 1e6);
  if (s.kind == RopeScaling::kYarn || s.kind == RopeScaling::kLlama3)
    rules.range("rope scaling original context", s.original_context, 1, kMaxContext);
  if (s.kind == RopeScaling::kYarn) {
    rules.number("rope scaling beta_fast", s.beta_fast, 1e-3, 1e6);
    rules.number("rope scaling beta_slow", s.beta_slow, 1e-3, 1e6);
    rules.number("rope scaling mscale", s.mscale, 0.0, 100.0);
    rules.number("rope scaling mscale_all_dim", s.mscale_all_dim, 0.0, 100.0);
    rules.number("rope scaling attn_factor", s.attn_factor, 1e-3, 1e3);
    rules.number("rope scaling attention_factor", s.attention_factor.value_or(1.0), 1e-3, 1e3);
  }
  if (s.kind == RopeScaling::kLlama3) {
    rules.number("rope scaling low_freq_factor", s.low_freq_factor, 1e-3, 1e6);
    rules.number("rope scaling high_freq_factor", s.high_freq_factor, 1e-3, 1e6);
    rules.holds("rope scaling high_freq_factor", s.high_freq_factor > s.low_freq_factor,
                "must be above low_freq_factor");
  }
}

void check_attention(const Config& c, Rules& rules) {
  const AttentionConfig& a = c.attention;
  rules.range("attention heads", a.heads, 1, kMaxHeads);
  rules.range("key and value heads", a.kv_heads, 1, kMaxHeads);
  if (!rules.ok()) return;
  rules.holds("key and value heads", a.heads % a.kv_heads == 0,
              "must divide the attention heads, " + std::to_string(a.heads));
  rules.range("head size", a.head_dim, 1, kMaxHeadDim);
  if (!a.mla) return;
  rules.range("q_lora_rank", a.mla->q_rank, 0, kMaxWidth);
  rules.range("kv_lora_rank", a.mla->kv_rank, 1, kMaxHeadDim);
  rules.range("qk_nope_head_dim", a.mla->nope_dim, 1, kMaxHeadDim);
  rules.range("qk_rope_head_dim", a.mla->rope_dim, 2, kMaxHeadDim);
  rules.range("v_head_dim", a.mla->value_dim, 1, kMaxHeadDim);
}

void check_moe(const Config& c, Rules& rules) {
  const MoeConfig& m = *c.moe;
  const GateConfig& g = m.gate;
  rules.range("experts", g.experts, 1, kMaxExperts);
  rules.range("expert groups", g.groups, 1, g.experts);
  rules.range("expert groups kept", g.groups_kept, 1, g.groups);
  if (!rules.ok()) return;
  rules.holds("expert groups", g.experts % g.groups == 0, "must divide the experts");
  const int group = g.experts / g.groups;
  rules.holds("expert groups", g.choice != GateChoice::kGroupTop2 || g.groups == 1 || group >= 2,
              "must have two experts or more each");
  rules.range("experts per token", g.chosen, 1,
              g.choice == GateChoice::kGreedy ? g.experts : group * g.groups_kept);
  rules.number("routed_scaling_factor", g.scale, 1e-6, 1e6);
  rules.range("expert width", m.width, 1, kMaxWidth);
  rules.range("shared expert width", m.shared_width, 0, kMaxWidth);
  rules.range("dense layers before the experts", m.first_layer, 0, c.layers);
}

}  // namespace

std::string_view architecture_name(Architecture architecture) {
  constexpr std::array<std::string_view, 5> kNames = {"deepseek_v2", "deepseek_v3", "qwen2",
                                                      "qwen3", "llama"};
  return kNames[static_cast<size_t>(architecture)];
}

Result<void> validate_config(const Config& config, std::string_view where) {
  Rules rules(where);
  rules.range("vocabulary", config.vocab, 1, kMaxVocab);
  rules.range("hidden size", config.hidden, 1, kMaxWidth);
  rules.range("layers", config.layers, 1, kMaxLayers);
  rules.range("MTP layers", config.mtp_layers, 0, 8);
  rules.range("feed-forward width", config.ffn_width, 1, kMaxWidth);
  rules.range("context", config.context, 1, kMaxContext);
  rules.number("RMS norm epsilon", config.epsilon, 1e-20, 1.0);
  rules.number("initializer range", config.initializer_range, 0.0, 100.0);
  check_attention(config, rules);
  if (rules.ok()) check_rope(config, rules);
  if (rules.ok() && config.moe) check_moe(config, rules);
  if (rules.ok()) {
    double parameters = 0;
    for (const ParamInfo& info : list_params(config, true)) {
      double product = 1;
      for (int i = 0; i < info.shape.rank; ++i) product *= static_cast<double>(info.shape[i]);
      parameters += product;
    }
    rules.holds("sizes", parameters <= kMaxParameters, "the model would be impossibly large");
  }
  return std::move(rules).result();
}

ParameterCount count_parameters(const Config& config) {
  ParameterCount count;
  for (const ParamInfo& info : list_params(config, true)) {
    const int64_t elements = info.shape.elements();
    if (info.layer >= config.layers) {
      count.mtp += elements;
      continue;
    }
    count.total += elements;
    count.active += info.is_experts()
                        ? elements / config.moe->gate.experts * config.moe->gate.chosen
                        : elements;
  }
  return count;
}

}  // namespace ponder
