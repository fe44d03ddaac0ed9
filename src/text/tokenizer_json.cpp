// Tokenizers from tokenizer.json and the files beside it.
#include <algorithm>

#include "base/file.hpp"
#include "base/macros.hpp"
#include "io/gguf.hpp"
#include "io/json.hpp"
#include "io/printable.hpp"
#include "text/tokenizer.hpp"
#include "text/tokenizer_data.hpp"

namespace ponder {
namespace {

constexpr uint64_t kMostFileBytes = 128 << 20;

// Reads one tokenizer.json. The views of the source point into the document.
class JsonReader {
 public:
  JsonReader(const Json& document, const std::string& where) : document_(document) {
    source_.where = where;
  }

  Result<TokenizerSource> read(const Json& config) {
    PONDER_TRY(read_model());
    PONDER_TRY(read_added_tokens());
    PONDER_TRY(read_normalizer(find_field(document_, "normalizer")));
    PONDER_TRY(read_pre_tokenizer());
    PONDER_TRY(read_post_processor(find_field(document_, "post_processor")));
    PONDER_TRY(read_config(config));
    if (source_.add_bos && !source_.bos)
      return failure("a beginning-of-sequence token is asked for, but none is named");
    return std::move(source_);
  }

 private:
  const std::string& where() const { return source_.where; }

  Failure failure(std::string what) const {
    return Failure{{.what = std::move(what),
                    .where = where(),
                    .mend = "use a byte-level BPE tokenizer.json as Hugging Face writes it"}};
  }
  Failure unsupported(const std::string& what) const { return failure(what + " is not supported"); }

  // Tokens of vocab and added_tokens lie at their ids; room for all of them, holes allowed.
  Result<void> make_room(const Json& vocab, const Json* added) {
    const size_t count = vocab.size() + (added ? added->size() : 0);
    int64_t highest = -1;
    const auto see = [&](const Json& id) {
      const bool fits = id.is_number_integer() && id >= 0 && id < static_cast<int64_t>(INT32_MAX);
      if (fits) highest = std::max(highest, id.get<int64_t>());
      return fits;
    };
    for (const auto& [text, id] : vocab.items())
      if (!see(id)) return failure("token " + printable(text) + " has no valid id");
    if (added) {
      for (const Json& token : *added)
        if (!token.is_object() || !token.contains("id") || !see(token["id"]))
          return failure("an element of added_tokens has no valid id");
    }
    if (highest >= static_cast<int64_t>(2 * count + 1024))
      return failure("the highest id is " + std::to_string(highest) + " with " +
                     std::to_string(count) + " tokens");
    source_.tokens.resize(static_cast<size_t>(highest + 1));
    return {};
  }

  Result<void> read_model() {
    const Json* model = find_field(document_, "model");
    if (!model || !model->is_object()) return failure("there is no model");
    const std::string type = PONDER_TRY(text_field_or(*model, "type", where(), "BPE"));
    if (type != "BPE") return unsupported("a model of type " + printable(type));
    for (const char* name : {"dropout", "unk_token", "continuing_subword_prefix",
                             "end_of_word_suffix", "byte_fallback"}) {
      const Json* value = find_field(*model, name);
      if (value && *value != "" && *value != false && *value != 0)
        return unsupported(std::string("model.") + name + " = " + printable(value->dump()));
    }
    source_.ignore_merges = PONDER_TRY(bool_field_or(*model, "ignore_merges", where(), false));
    const Json* vocab = find_field(*model, "vocab");
    if (!vocab || !vocab->is_object()) return failure("model.vocab is no object");
    const Json* added = find_field(document_, "added_tokens");
    if (added && !added->is_array()) return failure("added_tokens is no array");
    PONDER_TRY(make_room(*vocab, added));
    for (const auto& [text, id] : vocab->items()) {
      SourceToken& token = source_.tokens[id.get<size_t>()];
      if (token.kind != TokenKind::kNone)
        return failure("tokens " + printable(token.text) + " and " + printable(text) +
                       " have the same id " + id.dump());
      token = {text, TokenKind::kNormal};
    }
    return read_merges(*model);
  }

  // Either "left right" or ["left", "right"].
  Result<void> read_merges(const Json& model) {
    const Json* merges = find_field(model, "merges");
    if (!merges || !merges->is_array()) return failure("model.merges is no array");
    source_.merges.reserve(merges->size());
    for (const Json& merge : *merges) {
      const auto name = [&] { return "merge " + std::to_string(source_.merges.size()); };
      if (merge.is_string()) {
        const std::string_view text = merge.get_ref<const std::string&>();
        const size_t space = text.find(' ');
        if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos)
          return failure(name() + ", " + printable(text) + ", is not two tokens");
        source_.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
      } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
                 merge[1].is_string()) {
        source_.merges.emplace_back(merge[0].get_ref<const std::string&>(),
                                    merge[1].get_ref<const std::string&>());
      } else {
        return failure(name() + " is not two tokens");
      }
    }
    return {};
  }

  Result<void> read_added_tokens() {
    const Json* added = find_field(document_, "added_tokens");
    if (!added) return {};
    for (const Json& token : *added) {
      const Json* content = find_field(token, "content");
      const std::string id = token["id"].dump();
      if (!content || !content->is_string())
        return failure("added token " + id + " has no content");
      const std::string_view text = content->get_ref<const std::string&>();
      for (const char* flag : {"single_word", "lstrip", "rstrip"})
        if (PONDER_TRY(bool_field_or(token, flag, where(), false)))
          return unsupported(std::string(flag) + " of added token " + printable(text));
      SourceToken& slot = source_.tokens[token["id"].get<size_t>()];
      if (slot.kind != TokenKind::kNone && slot.text != text)
        return failure("tokens " + printable(slot.text) + " and " + printable(text) +
                       " have the same id " + id);
      const bool special = PONDER_TRY(bool_field_or(token, "special", where(), false));
      const bool normalized = PONDER_TRY(bool_field_or(token, "normalized", where(), !special));
      slot = {text, special ? TokenKind::kSpecial : TokenKind::kAdded, normalized};
    }
    return {};
  }

  Result<void> read_normalizer(const Json* normalizer) {
    if (!normalizer) return {};
    const std::string type = PONDER_TRY(text_field(*normalizer, "type", where()));
    if (type == "NFC") {
      source_.nfc = true;
      return {};
    }
    const Json* parts = find_field(*normalizer, "normalizers");
    if (type != "Sequence" || !parts || !parts->is_array())
      return unsupported("the normalizer " + printable(type));
    for (const Json& part : *parts) PONDER_TRY(read_normalizer(&part));
    return {};
  }

  // Split steps with regexes we know, perhaps single digits, then bytes.
  Result<void> read_pre_tokenizer() {
    const Json* pre = find_field(document_, "pre_tokenizer");
    const Json* parts = pre ? find_field(*pre, "pretokenizers") : nullptr;
    if (!parts || !parts->is_array())
      return failure("pre_tokenizer is no sequence of Split steps and ByteLevel");
    std::vector<std::string> regexes;
    bool digits = false, byte_level = false;
    for (const Json& part : *parts) {
      const std::string type = PONDER_TRY(text_field(part, "type", where()));
      const bool last = &part == &parts->back();
      if (type == "Split" && !digits) {
        regexes.push_back(PONDER_TRY(read_split(part)));
      } else if (type == "Digits" && !digits &&
                 PONDER_TRY(bool_field_or(part, "individual_digits", where(), false))) {
        digits = true;
      } else if (type == "ByteLevel" && last &&
                 !PONDER_TRY(bool_field_or(part, "add_prefix_space", where(), true)) &&
                 !PONDER_TRY(bool_field_or(part, "use_regex", where(), true))) {
        byte_level = true;
      } else {
        return unsupported("the pre_tokenizer step " + printable(type) + " as it is here");
      }
    }
    const auto kind = pretokenizer_by_regexes(regexes);
    if (!kind || !byte_level || digits != (*kind == Pretokenizer::kDeepseekLlm))
      return Failure{{.what = "the regexes of pre_tokenizer are none of those we know",
                      .where = where(),
                      .mend = "supported are those of " + pretokenizer_names()}};
    source_.pretokenizer = *kind;
    source_.pretokenizer_name = pretokenizer_name(*kind);
    return {};
  }

  Result<std::string> read_split(const Json& split) const {
    const std::string behavior = PONDER_TRY(text_field(split, "behavior", where()));
    const bool invert = PONDER_TRY(bool_field_or(split, "invert", where(), false));
    const Json* pattern = find_field(split, "pattern");
    if (behavior != "Isolated" || invert || !pattern)
      return unsupported("a Split step that does not isolate its matches");
    return text_field(*pattern, "Regex", where());
  }

  // All that we take from it is whether a beginning-of-sequence token goes first.
  Result<void> read_post_processor(const Json* processor) {
    if (!processor) return {};
    const std::string type = PONDER_TRY(text_field(*processor, "type", where()));
    if (type == "ByteLevel") return {};
    if (type == "Sequence") {
      const Json* parts = find_field(*processor, "processors");
      if (!parts || !parts->is_array()) return failure("post_processor has no processors");
      for (const Json& part : *parts) PONDER_TRY(read_post_processor(&part));
      return {};
    }
    const Json* single = find_field(*processor, "single");
    if (type != "TemplateProcessing" || !single || !single->is_array())
      return unsupported("the post_processor " + printable(type));
    for (const Json& item : *single) {
      const Json* special = find_field(item, "SpecialToken");
      if (!special) continue;
      if (&item != &single->front() || single->size() != 2)
        return unsupported("a post_processor that adds more than one token in front");
      const std::string name = PONDER_TRY(text_field(*special, "id", where()));
      source_.bos = PONDER_TRY(id_of(name));
      source_.add_bos = true;
    }
    return {};
  }

  Result<int64_t> id_of(const std::string& name) const {
    const auto found = std::find_if(source_.tokens.begin(), source_.tokens.end(),
                                    [&](const SourceToken& token) { return token.text == name; });
    if (found == source_.tokens.end()) return failure(printable(name) + " is no token");
    return found - source_.tokens.begin();
  }

  // A token of tokenizer_config.json: its text, or an object that holds it.
  Result<std::optional<int64_t>> named_token(const Json& config, const char* key) const {
    const Json* value = find_field(config, key);
    if (value && value->is_object()) value = find_field(*value, "content");
    if (!value) return std::optional<int64_t>();
    if (!value->is_string()) return failure(std::string(key) + " in the configuration is no text");
    return std::optional<int64_t>(PONDER_TRY(id_of(value->get<std::string>())));
  }

  Result<void> read_config(const Json& config) {
    if (const auto bos = PONDER_TRY(named_token(config, "bos_token"))) source_.bos = bos;
    if (PONDER_TRY(bool_field_or(config, "add_bos_token", where(), false))) source_.add_bos = true;
    source_.eos = PONDER_TRY(named_token(config, "eos_token"));
    const Json* chat = find_field(config, "chat_template");
    if (chat && chat->is_string()) source_.chat_template = chat->get<std::string>();
    if (chat && chat->is_array()) {  // several, by name
      for (const Json& item : *chat)
        if (PONDER_TRY(text_field(item, "name", where())) == "default")
          source_.chat_template = PONDER_TRY(text_field(item, "template", where()));
    }
    return {};
  }

  const Json& document_;
  TokenizerSource source_;
};

struct JsonTexts {
  std::string_view tokenizer, config, chat_template;
};

Result<std::shared_ptr<const TokenizerData>> build(const JsonTexts& texts,
                                                   const std::string& where) {
  const Json document = PONDER_TRY(parse_json(texts.tokenizer, where));
  Json config = Json::object();
  if (!texts.config.empty())
    config = PONDER_TRY(parse_json(texts.config, "tokenizer_config.json of " + where));
  TokenizerSource source = PONDER_TRY(JsonReader(document, where).read(config));
  if (!texts.chat_template.empty()) source.chat_template = texts.chat_template;
  return build_tokenizer(source);
}

// The text of a file beside another one; empty if there is none.
Result<std::string> read_beside(const std::filesystem::path& path, const char* name) {
  const std::filesystem::path beside = path.parent_path() / name;
  std::error_code error;
  if (!std::filesystem::exists(beside, error)) return std::string();
  return read_file(beside, kMostFileBytes);
}

}  // namespace

Result<Tokenizer> Tokenizer::from_json_text(std::string_view text, const std::string& where,
                                            std::string_view config) {
  return Tokenizer(PONDER_TRY(build({text, config, {}}, where)));
}

Result<Tokenizer> Tokenizer::from_json(const std::filesystem::path& path) {
  const std::string text = PONDER_TRY(read_file(path, kMostFileBytes));
  const std::string config = PONDER_TRY(read_beside(path, "tokenizer_config.json"));
  const std::string chat = PONDER_TRY(read_beside(path, "chat_template.jinja"));
  return Tokenizer(PONDER_TRY(build({text, config, chat}, path.string())));
}

Result<Tokenizer> Tokenizer::load(const std::filesystem::path& model) {
  std::error_code error;
  if (std::filesystem::is_directory(model, error)) return from_json(model / "tokenizer.json");
  if (is_gguf_file(model)) {
    const GgufFile file = PONDER_TRY(GgufFile::open_metadata(model));
    return from_gguf(file);
  }
  if (model.filename().string().ends_with("tokenizer.json")) return from_json(model);
  return from_json(model.parent_path() / "tokenizer.json");
}

}  // namespace ponder
