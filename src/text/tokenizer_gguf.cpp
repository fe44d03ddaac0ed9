// Tokenizers from the metadata of GGUF files.
#include "base/macros.hpp"
#include "io/gguf.hpp"
#include "io/printable.hpp"
#include "text/tokenizer.hpp"
#include "text/tokenizer_data.hpp"

namespace ponder {
namespace {

constexpr std::string_view kPrefix = "tokenizer.ggml.";

std::string key(std::string_view name) { return std::string(kPrefix).append(name); }

// Types of tokens as in llama.cpp's llama_token_type.
std::optional<TokenKind> kind_of(int64_t type) {
  switch (type) {
    case 1:
      return TokenKind::kNormal;
    case 2:  // unknown
    case 3:  // control
      return TokenKind::kSpecial;
    case 4:  // user-defined
      return TokenKind::kAdded;
    case 5:  // unused: pads the vocabulary to a round size
      return TokenKind::kNone;
    default:  // 6, a byte, belongs to other kinds of tokenizers
      return std::nullopt;
  }
}

Result<void> read_tokens(const GgufFile& file, TokenizerSource& source) {
  const auto texts = PONDER_TRY(file.texts(key("tokens")));
  std::vector<int64_t> types(texts.size(), 1);
  if (file.find(key("token_type"))) types = PONDER_TRY(file.integers(key("token_type")));
  if (types.size() != texts.size())
    return Failure{{.what = key("token_type") + " has " + std::to_string(types.size()) +
                            " elements for " + std::to_string(texts.size()) + " tokens",
                    .where = source.where,
                    .mend = "the file is damaged: get it again"}};
  source.tokens.resize(texts.size());
  for (size_t id = 0; id < texts.size(); ++id) {
    const auto kind = kind_of(types[id]);
    if (!kind)
      return Failure{{.what = "token " + std::to_string(id) + " has the type " +
                              std::to_string(types[id]) + ", which no byte-level tokenizer has",
                      .where = source.where,
                      .mend = "convert the model anew"}};
    source.tokens[id] = {texts[id], *kind};
  }
  return {};
}

Result<void> read_merges(const GgufFile& file, TokenizerSource& source) {
  const auto merges = PONDER_TRY(file.texts(key("merges")));
  source.merges.reserve(merges.size());
  for (const std::string_view merge : merges) {
    const size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size())
      return Failure{{.what = "merge " + std::to_string(source.merges.size()) + ", " +
                              printable(merge) + ", is not two tokens with a space between",
                      .where = source.where,
                      .mend = "the file is damaged: get it again"}};
    source.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
  return {};
}

Result<std::optional<int64_t>> read_id(const GgufFile& file, std::string_view name) {
  if (!file.find(key(name))) return std::optional<int64_t>();
  return std::optional<int64_t>(PONDER_TRY(file.integer(key(name))));
}

Result<void> read_kind(const GgufFile& file, TokenizerSource& source) {
  const std::string model = PONDER_TRY(file.text(key("model")));
  if (model != "gpt2")
    return Failure{{.what = key("model") + " is " + printable(model) +
                            "; only \"gpt2\", byte-level BPE, is supported",
                    .where = source.where,
                    .mend = "use a model with such a tokenizer: DeepSeek, Qwen, Llama 3"}};
  source.pretokenizer_name = PONDER_TRY(file.text(key("pre")));
  const auto pretokenizer = pretokenizer_by_name(source.pretokenizer_name);
  if (!pretokenizer)
    return Failure{{.what = "unknown pre-tokenizer " + printable(source.pretokenizer_name) +
                            " in " + key("pre"),
                    .where = source.where,
                    .mend = "supported are " + pretokenizer_names()}};
  source.pretokenizer = *pretokenizer;
  const bool llama3 = *pretokenizer == Pretokenizer::kLlama3;
  // GGUF does not tell whether tokenizer.json has a normaliser and ignore_merges; these do.
  source.nfc = source.pretokenizer_name == "qwen2";
  source.ignore_merges = llama3;
  source.add_bos = PONDER_TRY(file.boolean_or(key("add_bos_token"), llama3));
  return {};
}

}  // namespace

Result<TokenizerSource> gguf_tokenizer_source(const GgufFile& file) {
  TokenizerSource source{.where = file.path().string()};
  PONDER_TRY(read_kind(file, source));
  PONDER_TRY(read_tokens(file, source));
  PONDER_TRY(read_merges(file, source));
  source.bos = PONDER_TRY(read_id(file, "bos_token_id"));
  source.eos = PONDER_TRY(read_id(file, "eos_token_id"));
  for (const std::string_view name : {"eot_token_id", "eom_token_id"})
    if (const auto id = PONDER_TRY(read_id(file, name))) source.ends.push_back(*id);
  source.chat_template = PONDER_TRY(file.text_or("tokenizer.chat_template", ""));
  return source;
}

Result<Tokenizer> Tokenizer::from_gguf(const GgufFile& file) {
  const TokenizerSource source = PONDER_TRY(gguf_tokenizer_source(file));
  return Tokenizer(PONDER_TRY(build_tokenizer(source)));
}

}  // namespace ponder
