// Words and sentences of English text, cut exactly as spaCy's blank English pipeline cuts them
// (https://spacy.io/usage/linguistic-features#how-tokenizer-works), since the published filters
// count those. The rules: a piece between white space loses prefixes and suffixes one by one,
// unless it is a fixed word ("can't" = "ca" + "n't") or an address; what remains is cut at infixes;
// fixed words that fell apart are joined again.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "data/text/characters.hpp"

namespace ponder {

// Bits of word_class().
enum WordClass : uint16_t {
  kPrefixChar = 1 << 0,
  kSuffixChar = 1 << 1,
  kAlphaChar = 1 << 2,
  kLowerChar = 1 << 3,
  kUpperChar = 1 << 4,
  kInfixChar = 1 << 5,
  kQuoteChar = 1 << 6,
  kBeforePeriod = 1 << 7,
  kCurrencyChar = 1 << 8,
  kSentenceEnd = 1 << 9,
  kPunctuationChar = 1 << 10,  // datatrove's PUNCTUATION_SET
  kTerminalChar = 1 << 11,     // datatrove's TERMINAL_PUNCTUATION
};
// One entry per code point, 0x110000 of them.
const uint16_t* word_classes();

// Cuts texts of valid UTF-8 below 4 GB. Holds memory to reuse: one object a thread.
class EnglishWords {
 public:
  // Words without white space, in order.
  const std::vector<TextSpan>& words(std::string_view text);
  // Number of sentences: a new one begins with the first word behind a closing mark.
  int sentences(std::string_view text);

 private:
  friend class SpecialWords;

  void cut(std::string_view text);
  void cut_piece(std::string_view text, size_t begin, size_t end, bool with_specials);
  void decode(std::string_view text, size_t begin, size_t end);
  void cut_affixes(bool with_specials);
  void cut_infixes(size_t low, size_t high, bool with_specials);
  void join_specials(std::string_view text);
  bool is_special(size_t low, size_t high) const;
  void push(size_t low, size_t high) { tokens_.push_back({places_[low], places_[high]}); }

  std::vector<TextSpan> tokens_, words_, suffixes_, joined_;
  // The piece at hand: its characters, and where each begins in the text (one more than these).
  std::string_view text_;
  std::vector<uint32_t> chars_, places_;
};

}  // namespace ponder
