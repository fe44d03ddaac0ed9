#include "text/grammar/token_vocabulary.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr size_t kMostBytes = 255;  // of a token; longer ones are left out

struct Entry {
  std::string bytes;
  int32_t token;
};

// What strings of JSON take as it is, without line breaks and DEL, which other grammars exclude.
bool is_plain(uint32_t code) {
  return code >= 0x20 && code != '"' && code != '\\' && code != 0x7f && code != 0x85 &&
         code != 0x2028 && code != 0x2029;
}

CharSet plain_characters() {
  CharSet set = CharSet::range(0, 0x1f).add(CharSet::of("\"\\\x7f"));
  return set.add(0x85, 0x85).add(0x2028, 0x2029).complement();
}

// How many characters a token has if all are plain and none is cut.
std::optional<int> plain_length(std::string_view bytes) {
  int count = 0;
  for (size_t at = 0; at < bytes.size(); ++count) {
    const Utf8Step step = utf8_step(bytes.substr(at));
    if (step.kind != Utf8Step::kCharacter || !is_plain(decode_char(bytes, at).code)) return {};
    at += step.length;
  }
  return count;
}

// `entries` are sorted by their bytes.
std::vector<TokenVocabulary::Node> build_trie(const std::vector<Entry>& entries) {
  std::vector<TokenVocabulary::Node> nodes;
  std::vector<int32_t> path;  // nodes of the entry before
  const auto close = [&](size_t depth) {
    for (; path.size() > depth; path.pop_back())
      nodes[static_cast<size_t>(path.back())].end = static_cast<int32_t>(nodes.size());
  };
  std::string_view before;
  for (const Entry& entry : entries) {
    const std::string_view bytes = entry.bytes;
    const auto parted = std::ranges::mismatch(before, bytes);
    // Of two tokens with the same bytes each gets a last node of its own.
    const size_t shared =
        std::min(static_cast<size_t>(parted.in2 - bytes.begin()), bytes.size() - 1);
    close(shared);
    for (size_t i = shared; i < bytes.size(); ++i) {
      path.push_back(static_cast<int32_t>(nodes.size()));
      nodes.push_back({.byte = static_cast<uint8_t>(bytes[i]), .depth = static_cast<uint8_t>(i)});
    }
    nodes.back().token = entry.token;
    before = bytes;
  }
  close(0);
  return nodes;
}

void set_bit(std::span<uint64_t> mask, int32_t token) {
  mask[static_cast<size_t>(token) / 64] |= uint64_t{1} << (token % 64);
}

}  // namespace

std::shared_ptr<const TokenVocabulary> TokenVocabulary::create(const Tokenizer& tokenizer) {
  return std::shared_ptr<const TokenVocabulary>(new TokenVocabulary(tokenizer));
}

TokenVocabulary::TokenVocabulary(const Tokenizer& tokenizer)
    : tokenizer_(tokenizer),
      words_((static_cast<size_t>(tokenizer.vocab_size()) + 63) / 64),
      plain_ranges_(utf8_ranges(plain_characters())),
      plain_((kMostRun + 1) * words_),
      ends_(words_) {
  std::vector<Entry> all, odd;
  for (int32_t token = 0; token < tokenizer.vocab_size(); ++token) {
    if (tokenizer.is_end(token)) set_bit(ends_, token);
    if (tokenizer.is_end(token) || tokenizer.is_added(token)) continue;
    std::string bytes = tokenizer.token_bytes(token);
    if (bytes.empty() || bytes.size() > kMostBytes) continue;
    const auto length = plain_length(bytes);
    if (length && *length <= kMostRun)
      set_bit(std::span(plain_).subspan(static_cast<size_t>(*length) * words_, words_), token);
    else
      odd.push_back({bytes, token});
    all.push_back({std::move(bytes), token});
  }
  for (size_t i = words_; i < plain_.size(); ++i) plain_[i] |= plain_[i - words_];
  std::ranges::sort(all, {}, &Entry::bytes);
  std::ranges::sort(odd, {}, &Entry::bytes);
  trie_ = build_trie(all);
  odd_trie_ = build_trie(odd);
}

std::vector<TokenVocabulary::Piece> TokenVocabulary::pieces(std::string_view text) const {
  std::vector<Piece> pieces;
  for (const int32_t token : tokenizer_.encode(text, {.add_bos = false})) {
    if (tokenizer_.is_added(token)) {
      pieces.push_back({.token = token});
      continue;
    }
    if (pieces.empty() || pieces.back().token >= 0) pieces.emplace_back();
    pieces.back().text += tokenizer_.token_bytes(token);
  }
  return pieces;
}

}  // namespace ponder
