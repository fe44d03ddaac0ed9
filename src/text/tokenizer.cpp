#include "text/tokenizer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>

#include "text/tokenizer_data.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

// Remembers where in the output the tokens of a piece already are. Text repeats its words, and
// copying is several times faster than merging again. One entry per slot; the newest stays.
class PieceCache {
 public:
  explicit PieceCache(size_t text_bytes)
      : entries_(std::bit_ceil(std::clamp<size_t>(text_bytes / 16, 1, kMostEntries))) {}

  struct Entry {
    const char* piece = nullptr;
    uint32_t length = 0;
    uint32_t tokens = 0;
    size_t at = 0;  // index of the first in the output
  };

  static bool fits(std::string_view piece) { return piece.size() <= kMostBytes; }
  // The slot of a piece, to be used or overwritten.
  Entry& slot(std::string_view piece) {
    uint64_t words[kMostBytes / 8] = {};
    std::memcpy(words, piece.data(), piece.size());
    uint64_t hash = piece.size();
    for (const uint64_t word : words) hash = (std::rotl(hash, 23) ^ word) * 0x9e3779b97f4a7c15u;
    return entries_[(hash >> 32) & (entries_.size() - 1)];
  }
  static bool holds(const Entry& entry, std::string_view piece) {
    return entry.length == piece.size() &&
           std::memcmp(entry.piece, piece.data(), piece.size()) == 0;
  }

 private:
  static constexpr size_t kMostBytes = 24, kMostEntries = 1 << 14;
  std::vector<Entry> entries_;
};

class Encoder {
 public:
  Encoder(const TokenizerData& data, bool parse_special, size_t text_bytes,
          std::vector<int32_t>& tokens)
      : data_(data), parse_special_(parse_special), tokens_(tokens), cache_(text_bytes) {}

  // `text` is UTF-8 and stays where it is until the encoder is gone.
  void encode(std::string_view text) {
    split(data_.raw_tokens, text, [&](std::string_view plain) {
      if (data_.nfc) {
        if (auto normalized = normalized_nfc(plain))
          plain = normalized_.emplace_back(std::move(*normalized));
      }
      split(data_.normalized_tokens, plain, [&](std::string_view rest) { encode_plain(rest); });
    });
  }

 private:
  // Tokens of the trie go to the output, what is between them to `plain`.
  template <typename Plain>
  void split(const TokenTrie& trie, std::string_view text, const Plain& plain) {
    size_t done = 0;
    for (size_t from = 0;;) {
      const TokenTrie::Match match = trie.find(text, from);
      if (match.length == 0) break;
      from = match.start + match.length;
      if (!parse_special_ && data_.tokens[match.id].kind == TokenKind::kSpecial) continue;
      if (match.start > done) plain(text.substr(done, match.start - done));
      tokens_.push_back(match.id);
      done = from;
    }
    if (done < text.size()) plain(text.substr(done));
  }

  void encode_plain(std::string_view text) {
    ends_.clear();
    cut_pieces(data_.pretokenizer, text, ends_);
    size_t start = 0;
    for (const size_t end : ends_) {
      encode_piece(text.substr(start, end - start));
      start = end;
    }
  }

  void encode_piece(std::string_view piece) {
    if (piece.size() == 1 || !PieceCache::fits(piece)) return merge(piece);
    PieceCache::Entry& entry = cache_.slot(piece);
    const size_t at = tokens_.size();
    if (PieceCache::holds(entry, piece)) {
      tokens_.resize(at + entry.tokens);
      std::copy_n(tokens_.begin() + entry.at, entry.tokens, tokens_.begin() + at);
      return;
    }
    merge(piece);
    entry = {piece.data(), static_cast<uint32_t>(piece.size()),
             static_cast<uint32_t>(tokens_.size() - at), at};
  }

  void merge(std::string_view piece) {
    if (data_.ignore_merges)
      if (const auto whole = data_.find_normal(piece)) return tokens_.push_back(*whole);
    data_.bpe.encode(piece, tokens_);
  }

  const TokenizerData& data_;
  const bool parse_special_;
  std::vector<int32_t>& tokens_;
  PieceCache cache_;
  std::deque<std::string> normalized_;  // texts that the cache points into
  std::vector<size_t> ends_;
};

}  // namespace

std::vector<int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::vector<int32_t> tokens;
  tokens.reserve(text.size() / 3 + 2);
  if (options.add_bos && data_->add_bos) tokens.push_back(*data_->bos);
  const auto repaired = repaired_utf8(text);
  Encoder(*data_, options.parse_special, text.size(), tokens).encode(repaired ? *repaired : text);
  return tokens;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::string bytes;
  for (const int32_t id : ids)
    if (data_->has(id) && !(skip_special && is_special(id))) bytes += data_->bytes_of(id);
  auto repaired = repaired_utf8(bytes);
  return repaired ? std::move(*repaired) : bytes;
}

std::string Tokenizer::token_bytes(int32_t id) const {
  return data_->has(id) ? std::string(data_->bytes_of(id)) : std::string();
}

int32_t Tokenizer::vocab_size() const { return static_cast<int32_t>(data_->tokens.size()); }

std::optional<int32_t> Tokenizer::find(std::string_view token) const {
  const auto found = data_->by_text.find(token);
  return found != data_->by_text.end() ? found->second : data_->find_normal(token);
}

std::optional<int32_t> Tokenizer::bos() const { return data_->bos; }
std::optional<int32_t> Tokenizer::eos() const { return data_->eos; }
bool Tokenizer::adds_bos() const { return data_->add_bos; }

bool Tokenizer::is_end(int32_t id) const {
  return std::binary_search(data_->ends.begin(), data_->ends.end(), id);
}

bool Tokenizer::is_special(int32_t id) const {
  return data_->has(id) && data_->tokens[id].kind == TokenKind::kSpecial;
}

bool Tokenizer::is_added(int32_t id) const {
  return data_->has(id) && data_->tokens[id].kind != TokenKind::kNormal;
}

std::string Tokenizer::chat_template() const { return data_->chat_template; }
std::string Tokenizer::pretokenizer() const { return data_->pretokenizer_name; }

std::vector<std::string> Tokenizer::pieces(std::string_view text) const {
  std::string whole = repaired_utf8(text).value_or(std::string(text));
  if (data_->nfc) whole = normalized_nfc(whole).value_or(whole);
  std::vector<size_t> ends;
  cut_pieces(data_->pretokenizer, whole, ends);
  std::vector<std::string> pieces;
  size_t start = 0;
  for (const size_t end : ends) {
    pieces.push_back(whole.substr(start, end - start));
    start = end;
  }
  return pieces;
}

}  // namespace ponder
