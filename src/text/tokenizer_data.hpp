// What a Tokenizer holds, and the form in which both file formats hand it over to be checked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "text/bpe.hpp"
#include "text/pretokenizer.hpp"
#include "text/token_trie.hpp"

namespace ponder {

class GgufFile;

enum class TokenKind : uint8_t {
  kNone,     // no token has this id, or the file calls it unused
  kNormal,   // made by merges; spelled in the byte alphabet of GPT-2
  kAdded,    // found in the text before all else; spelled as it is
  kSpecial,  // the same, and left out when special tokens are skipped
};

struct SourceToken {
  std::string_view text;
  TokenKind kind = TokenKind::kNone;
  bool normalized = false;  // an added token that is looked for after normalisation
};

// A vocabulary as a file has it: nothing is checked but types. The views live as long as the file.
struct TokenizerSource {
  std::string where;
  std::vector<SourceToken> tokens = {};                                    // by id
  std::vector<std::pair<std::string_view, std::string_view>> merges = {};  // in order of rank
  Pretokenizer pretokenizer = Pretokenizer::kQwen2;
  std::string pretokenizer_name = {};
  bool nfc = false;
  bool ignore_merges = false;  // a piece that is a token as a whole is that token
  bool add_bos = false;
  std::optional<int64_t> bos = {}, eos = {};
  std::vector<int64_t> ends = {};  // further ids that end a text or a turn
  std::string chat_template = {};
};

struct TokenizerData {
  struct Token {
    size_t offset = 0;
    uint32_t length = 0;
    TokenKind kind = TokenKind::kNone;
  };

  std::string_view bytes_of(int32_t id) const {
    return std::string_view(bytes).substr(tokens[id].offset, tokens[id].length);
  }
  bool has(int32_t id) const {
    return id >= 0 && static_cast<size_t>(id) < tokens.size() &&
           tokens[id].kind != TokenKind::kNone;
  }

  // The normal token that stands for these bytes.
  std::optional<int32_t> find_normal(std::string_view text) const;
  // Its place in normal_index, or that of the empty slot where it belongs.
  size_t normal_slot(std::string_view text) const;

  std::string bytes;          // of all tokens, one behind the other
  std::vector<Token> tokens;  // by id
  Bpe bpe;
  TokenTrie raw_tokens, normalized_tokens;
  // Tokens that are not spelled in the byte alphabet: the added ones, and oddities.
  std::unordered_map<std::string_view, int32_t> by_text;  // views of `bytes`
  // The others: open addressing by the hash of their bytes, -1 where there is none.
  std::vector<int32_t> normal_index;
  Pretokenizer pretokenizer;
  std::string pretokenizer_name;
  bool nfc, ignore_merges, add_bos;
  std::optional<int32_t> bos, eos;
  std::vector<int32_t> ends;  // sorted
  std::string chat_template;
};

// From the metadata of a GGUF file, which must outlive it.
Result<TokenizerSource> gguf_tokenizer_source(const GgufFile& file);

// Checks everything: holes and duplicates, merges of tokens that do not exist, ids out of range.
Result<std::shared_ptr<const TokenizerData>> build_tokenizer(const TokenizerSource& source);

}  // namespace ponder
