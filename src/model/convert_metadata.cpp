#include "model/convert_metadata.hpp"

#include <cmath>
#include <system_error>
#include <vector>

#include "base/log.hpp"
#include "io/json.hpp"
#include "io/printable.hpp"
#include "text/tokenizer.hpp"

namespace ponder {
namespace {

constexpr uint64_t kMaxTokenizerBytes = 256 << 20;

struct Keys {
  GgufWriter& writer;
  std::string arch;

  void size(std::string_view name, int64_t value) const {
    writer.set_u32(key(name), static_cast<uint32_t>(value));
  }
  void number(std::string_view name, double value) const {
    writer.set_f32(key(name), static_cast<float>(value));
  }
  std::string key(std::string_view name) const { return arch + "." + std::string(name); }
};

Result<void> write_rope(const Config& config, const Keys& keys) {
  const RopeScalingConfig& s = config.rope.scaling;
  keys.size("rope.dimension_count", config.rope.dims);
  keys.number("rope.freq_base", config.rope.theta);
  if (s.kind != RopeScaling::kYarn && s.kind != RopeScaling::kLinear) return {};
  keys.writer.set_text(keys.key("rope.scaling.type"),
                       s.kind == RopeScaling::kYarn ? "yarn" : "linear");
  keys.number("rope.scaling.factor", s.factor);
  keys.size("rope.scaling.original_context_length", s.original_context);
  if (s.kind == RopeScaling::kLinear) return {};
  keys.number("rope.scaling.yarn_beta_fast", s.beta_fast);
  keys.number("rope.scaling.yarn_beta_slow", s.beta_slow);
  if (!config.attention.mla) {
    // Readers multiply 1 + 0.1·ln(factor) in.
    const double natural = s.factor > 1.0 ? 0.1 * std::log(s.factor) + 1.0 : 1.0;
    keys.number("rope.scaling.attn_factor", static_cast<double>(config.rope.amplitude) / natural);
    return {};
  }
  keys.number("rope.scaling.yarn_log_multiplier", 0.1 * s.mscale_all_dim);
  if (std::abs(config.rope.amplitude - 1.0f) < 1e-6f) return {};
  return Failure{{.what = "YaRN with mscale and mscale_all_dim that differ has no form in GGUF",
                  .where = "rope_scaling",
                  .mend = "run this model from its safetensors"}};
}

void write_moe(const Config& config, const Keys& keys) {
  const MoeConfig& moe = *config.moe;
  keys.size("leading_dense_block_count", moe.first_layer);
  keys.size("expert_count", moe.gate.experts);
  keys.size("expert_used_count", moe.gate.chosen);
  keys.size("expert_shared_count", moe.shared_width / moe.width);
  keys.size("expert_feed_forward_length", moe.width);
  keys.number("expert_weights_scale", static_cast<double>(moe.gate.scale));
  keys.writer.set_bool(keys.key("expert_weights_norm"), moe.gate.normalise);
  keys.size("expert_gating_func", moe.gate.score == GateScore::kSigmoid ? 2 : 1);
  const bool grouped = moe.gate.choice != GateChoice::kGreedy;
  keys.size("expert_group_count", grouped ? moe.gate.groups : 1);
  keys.size("expert_group_used_count", grouped ? moe.gate.groups_kept : 1);
}

struct TokenList {
  std::vector<std::string> texts;  // by id
  std::vector<int32_t> types;
  std::vector<std::string> merges;
};

Failure bad_tokenizer(const std::string& where, std::string what) {
  return Failure{{.what = std::move(what),
                  .where = where,
                  .mend = "get config.json and tokenizer.json from the same place"}};
}

// Ids without a token are padding. Tokenizer has read the same file and checked its structure, so
// the parser's own exceptions mean that the file changed meanwhile.
Result<TokenList> token_list(const Json& json, int64_t vocab, const std::string& where) {
  TokenList list;
  list.texts.resize(static_cast<size_t>(vocab));
  list.types.assign(static_cast<size_t>(vocab), kUnusedToken);
  const auto put = [&](const std::string& text, const Json& id, int32_t type) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() >= vocab)
      return false;
    list.texts[id.get<size_t>()] = text;
    list.types[id.get<size_t>()] = type;
    return true;
  };
  const Json& model = json.at("model");
  for (const auto& [text, id] : model.at("vocab").items()) {
    if (!put(text, id, kNormalToken))
      return bad_tokenizer(where, "token " + printable(text) + " is beyond the model's vocabulary");
  }
  if (const Json* added = find_field(json, "added_tokens")) {
    for (const Json& token : *added) {
      const std::string text = PONDER_TRY(text_field(token, "content", where));
      const bool special = PONDER_TRY(bool_field_or(token, "special", where, false));
      const int64_t id = PONDER_TRY(integer_field(token, "id", where));
      if (!put(text, id, special ? kControlToken : kUserDefinedToken))
        return bad_tokenizer(where, "token " + printable(text) + " is beyond the vocabulary");
    }
  }
  for (size_t id = 0; id < list.texts.size(); ++id)
    if (list.types[id] == kUnusedToken) list.texts[id] = "[PAD" + std::to_string(id) + "]";
  for (const Json& merge : model.at("merges")) {
    list.merges.push_back(merge.is_string() ? merge.get<std::string>()
                                            : merge.at(0).get<std::string>() + " " +
                                                  merge.at(1).get<std::string>());
  }
  return list;
}

Result<TokenList> checked_token_list(const Json& json, int64_t vocab, const std::string& where) {
  try {
    return token_list(json, vocab, where);
  } catch (const Json::exception& error) {
    return bad_tokenizer(where, error.what());
  }
}

}  // namespace

std::string_view gguf_architecture(Architecture architecture) {
  const bool deepseek =
      architecture == Architecture::kDeepseekV2 || architecture == Architecture::kDeepseekV3;
  return deepseek ? "deepseek2" : architecture_name(architecture);
}

void write_attention_keys(const Config& config, GgufWriter& writer) {
  const Keys keys{writer, std::string(gguf_architecture(config.architecture))};
  const AttentionConfig& a = config.attention;
  keys.size("attention.head_count", a.heads);
  keys.number("attention.layer_norm_rms_epsilon", static_cast<double>(config.epsilon));
  if (!a.mla) {
    keys.size("attention.head_count_kv", a.kv_heads);
    keys.size("attention.key_length", a.head_dim);
    keys.size("attention.value_length", a.head_dim);
    return;
  }
  keys.size("attention.head_count_kv", 1);
  if (a.mla->q_rank > 0) keys.size("attention.q_lora_rank", a.mla->q_rank);
  keys.size("attention.kv_lora_rank", a.mla->kv_rank);
  keys.size("attention.key_length", a.mla->kv_rank + a.mla->rope_dim);
  keys.size("attention.value_length", a.mla->kv_rank);
  keys.size("attention.key_length_mla", a.head_dim);
  keys.size("attention.value_length_mla", a.mla->value_dim);
}

Result<void> write_config(const Config& config, bool with_mtp, const std::filesystem::path& folder,
                          GgufWriter& writer) {
  const Keys keys{writer, std::string(gguf_architecture(config.architecture))};
  writer.set_text("general.architecture", keys.arch);
  writer.set_text("general.type", "model");
  std::error_code ignored;
  const auto name = std::filesystem::weakly_canonical(folder, ignored).filename().string();
  if (!name.empty()) writer.set_text("general.name", name);
  keys.size("vocab_size", config.vocab);
  keys.size("context_length", config.context);
  keys.size("embedding_length", config.hidden);
  keys.size("block_count", config.layers + (with_mtp ? config.mtp_layers : 0));
  if (with_mtp) keys.size("nextn_predict_layers", config.mtp_layers);
  keys.size("feed_forward_length", config.ffn_width);
  write_attention_keys(config, writer);
  if (config.moe) write_moe(config, keys);
  return write_rope(config, keys);
}

void write_file_type(const ConversionType& type, GgufWriter& writer) {
  writer.set_u32("general.file_type", type.file_type);
  if (dtype_info(type.dtype).quantised) writer.set_u32("general.quantization_version", 2);
}

Result<void> write_tokenizer(const Config& config, const std::filesystem::path& folder,
                             GgufWriter& writer) {
  const std::filesystem::path path = folder / "tokenizer.json";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    log(LogLevel::kWarning, folder.string() + ": no tokenizer.json; the result has no tokenizer");
    return {};
  }
  const Tokenizer tokenizer = PONDER_TRY(Tokenizer::from_json(path));
  const std::string text = PONDER_TRY(read_file(path, kMaxTokenizerBytes));
  const Json json = PONDER_TRY(parse_json(text, path.string()));
  const TokenList list = PONDER_TRY(checked_token_list(json, config.vocab, path.string()));
  writer.set_text("tokenizer.ggml.model", "gpt2");
  writer.set_text("tokenizer.ggml.pre", tokenizer.pretokenizer());
  writer.set_texts("tokenizer.ggml.tokens", list.texts);
  writer.set_i32s("tokenizer.ggml.token_type", list.types);
  writer.set_texts("tokenizer.ggml.merges", list.merges);
  if (const auto bos = tokenizer.bos())
    writer.set_u32("tokenizer.ggml.bos_token_id", static_cast<uint32_t>(*bos));
  if (const auto eos = tokenizer.eos())
    writer.set_u32("tokenizer.ggml.eos_token_id", static_cast<uint32_t>(*eos));
  writer.set_bool("tokenizer.ggml.add_bos_token", tokenizer.adds_bos());
  if (!tokenizer.chat_template().empty())
    writer.set_text("tokenizer.chat_template", tokenizer.chat_template());
  return {};
}

}  // namespace ponder
