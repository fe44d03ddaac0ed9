#include "text/tokenizer_export.hpp"

#include "base/file.hpp"
#include "io/gguf.hpp"
#include "io/json.hpp"
#include "text/tokenizer_data.hpp"

namespace ponder {
namespace {

// What Hugging Face writes about a step that we only name.
Json byte_level() {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", false},
          {"use_regex", false}};
}

Json pre_tokenizer(Pretokenizer kind) {
  Json steps = Json::array();
  for (const std::string& regex : pretokenizer_regexes(kind))
    steps.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", regex}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  if (kind == Pretokenizer::kDeepseekLlm)
    steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
  steps.push_back(byte_level());
  return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

std::string text_of(const TokenizerSource& source, std::optional<int64_t> id) {
  if (!id || *id < 0 || *id >= std::ssize(source.tokens)) return "";
  return std::string(source.tokens[static_cast<size_t>(*id)].text);
}

Json tokenizer_json(const TokenizerSource& source) {
  Json vocabulary = Json::object(), added = Json::array(), merges = Json::array();
  for (size_t id = 0; id < source.tokens.size(); ++id) {
    const SourceToken& token = source.tokens[id];
    if (token.kind == TokenKind::kNormal) vocabulary[std::string(token.text)] = id;
    if (token.kind == TokenKind::kAdded || token.kind == TokenKind::kSpecial)
      added.push_back({{"id", id},
                       {"content", token.text},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", token.normalized},
                       {"special", token.kind == TokenKind::kSpecial}});
  }
  for (const auto& [left, right] : source.merges) merges.push_back({left, right});
  const Json model = {{"type", "BPE"},
                      {"vocab", std::move(vocabulary)},
                      {"merges", std::move(merges)},
                      {"ignore_merges", source.ignore_merges}};
  return {{"version", "1.0"},
          {"added_tokens", std::move(added)},
          {"normalizer", source.nfc ? Json{{"type", "NFC"}} : Json()},
          {"pre_tokenizer", pre_tokenizer(source.pretokenizer)},
          {"post_processor", byte_level()},
          {"decoder", byte_level()},
          {"model", model}};
}

Json config_json(const TokenizerSource& source) {
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"add_bos_token", source.add_bos}};
  if (const std::string bos = text_of(source, source.bos); !bos.empty()) config["bos_token"] = bos;
  if (const std::string eos = text_of(source, source.eos); !eos.empty()) config["eos_token"] = eos;
  if (!source.chat_template.empty()) config["chat_template"] = source.chat_template;
  return config;
}

}  // namespace

Result<void> export_tokenizer(const std::filesystem::path& gguf,
                              const std::filesystem::path& folder) {
  const GgufFile file = PONDER_TRY(GgufFile::open_metadata(gguf));
  const TokenizerSource source = PONDER_TRY(gguf_tokenizer_source(file));
  PONDER_TRY(build_tokenizer(source));  // checks it
  const auto text = [](const Json& json) {
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  };
  PONDER_TRY(write_file(folder / "tokenizer.json", text(tokenizer_json(source))));
  return write_file(folder / "tokenizer_config.json", text(config_json(source)));
}

}  // namespace ponder
