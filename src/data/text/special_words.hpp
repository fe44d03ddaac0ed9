// The fixed words of spaCy's English: contractions, abbreviations, emoticons.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ponder {

class SpecialWords {
 public:
  static const SpecialWords& get();

  // Where the word is cut, in bytes from its start; nullptr if it is no fixed word.
  const std::vector<uint8_t>* find(std::string_view word) const;
  size_t longest() const { return longest_; }  // bytes

  // Fixed words that would fall into several tokens if they were not known: token by token.
  using Sequence = std::vector<std::string_view>;
  const std::vector<Sequence>* starting_with(std::string_view token) const;
  bool may_be_second(char first_byte) const { return second_[static_cast<uint8_t>(first_byte)]; }

 private:
  SpecialWords();

  std::unordered_map<std::string_view, std::vector<uint8_t>> words_;
  std::unordered_map<std::string_view, std::vector<Sequence>> sequences_;
  size_t longest_ = 0;
  bool second_[256] = {};
};

}  // namespace ponder
