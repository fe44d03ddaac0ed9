// The tokens of a tokenizer as constraints look at them: a trie of their bytes, walked as far as a
// grammar goes along. V vocabulary, W = ⌈V/64⌉ words of a mask.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "text/grammar/char_set.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

// Immutable; one for all constraints of a tokenizer.
class TokenVocabulary {
 public:
  static constexpr int kMostRun = 32;  // characters of a plain token, at most

  static std::shared_ptr<const TokenVocabulary> create(const Tokenizer& tokenizer);

  // Node by node, each before its children; `end` is the first node that is not below.
  struct Node {
    uint8_t byte = 0;
    uint8_t depth = 0;   // bytes before this one
    int32_t token = -1;  // that ends with this byte, or -1
    int32_t end = 0;
  };
  // Every token that stands for ordinary text: not special ones nor others that are looked for
  // before all else, nor the ends of text.
  std::span<const Node> trie() const { return trie_; }

  // A token of 1 to kMostRun plain characters is a plain one. In most places of JSON either all of
  // these characters may follow or none: then only the other tokens have to be looked at.
  std::span<const Utf8Range> plain_ranges() const { return plain_ranges_; }
  std::span<const Node> odd_trie() const { return odd_trie_; }  // without the plain tokens
  // (W) the plain tokens of at most so many characters
  std::span<const uint64_t> plain_tokens(int characters) const {
    return std::span(plain_).subspan(static_cast<size_t>(characters) * words_, words_);
  }

  std::span<const uint64_t> ends() const { return ends_; }  // (W) the tokens that end a text
  size_t words() const { return words_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }

  // A text as a tokenizer reads a prompt: added and special tokens, and what is between them.
  struct Piece {
    int32_t token = -1;     // or, if there is none,
    std::string text = {};  // bytes
  };
  std::vector<Piece> pieces(std::string_view text) const;

 private:
  explicit TokenVocabulary(const Tokenizer& tokenizer);

  Tokenizer tokenizer_;
  size_t words_;
  std::vector<Node> trie_, odd_trie_;
  std::vector<Utf8Range> plain_ranges_;
  std::vector<uint64_t> plain_;  // (kMostRun + 1, W)
  std::vector<uint64_t> ends_;
};

}  // namespace ponder
