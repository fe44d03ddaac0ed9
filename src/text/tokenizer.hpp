// Byte-level BPE tokenizers, read from GGUF metadata or a Hugging Face tokenizer.json.
// Format of tokenizer.json: https://huggingface.co/docs/tokenizers; of the metadata:
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md ("tokenizer.ggml.*").
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ponder {

class GgufFile;
struct TokenizerData;  // text/tokenizer_data.hpp

struct EncodeOptions {
  // Put the beginning-of-sequence token first if the file asks for it. A chat template that was
  // rendered holds it already: encode that without.
  bool add_bos = true;
  // Recognise special (control) tokens in the text. Otherwise their names are ordinary text; added
  // tokens that the file does not call special are recognised either way.
  bool parse_special = true;
};

// An immutable tokenizer. Copies share one vocabulary; all functions may be called from any thread.
class Tokenizer {
 public:
  // `model`: a .gguf file, a tokenizer.json, a folder that holds one, or a file in such a folder.
  // tokenizer_config.json and chat_template.jinja beside tokenizer.json are read too.
  static Result<Tokenizer> load(const std::filesystem::path& model);
  static Result<Tokenizer> from_gguf(const GgufFile& file);
  static Result<Tokenizer> from_json(const std::filesystem::path& path);
  // The text of a tokenizer.json and, unless empty, of its tokenizer_config.json.
  static Result<Tokenizer> from_json_text(std::string_view text, const std::string& where,
                                          std::string_view config = {});

  // Bytes that are not UTF-8 count as U+FFFD, one per maximal broken sequence.
  std::vector<int32_t> encode(std::string_view text, EncodeOptions options = {}) const;
  // Broken UTF-8 becomes U+FFFD as above. Ids outside the vocabulary give nothing.
  std::string decode(std::span<const int32_t> ids, bool skip_special = false) const;
  // The bytes that a token stands for, possibly a part of a character; empty for unknown ids.
  std::string token_bytes(int32_t id) const;

  // One more than the highest id.
  int32_t vocab_size() const;
  // The token that stands for exactly these bytes; added tokens go first.
  std::optional<int32_t> find(std::string_view token) const;
  std::optional<int32_t> bos() const;
  std::optional<int32_t> eos() const;
  bool adds_bos() const;  // whether the file asks for a beginning-of-sequence token
  // Whether generation stops at this token: end of text, of a turn or of a message.
  bool is_end(int32_t id) const;
  // Whether decode(…, true) leaves this token out. <think> usually is not special.
  bool is_special(int32_t id) const;
  // Whether encode() looks for this token before all else, as it does for special ones too.
  bool is_added(int32_t id) const;

  std::string chat_template() const;  // Jinja source; empty if the file has none
  std::string pretokenizer() const;   // "deepseek-v3", "qwen2", …

  // How the text is cut before the merges, without looking for added tokens: for tests.
  std::vector<std::string> pieces(std::string_view text) const;

 private:
  explicit Tokenizer(std::shared_ptr<const TokenizerData> data) : data_(std::move(data)) {}
  std::shared_ptr<const TokenizerData> data_;
};

}  // namespace ponder
