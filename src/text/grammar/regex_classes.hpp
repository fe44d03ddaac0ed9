// The classes of characters that regular expressions name.
#pragma once

#include <optional>
#include <string_view>

#include "text/grammar/char_set.hpp"

namespace ponder {

// Dialects differ about \d, \w and \s: `narrow` is what all of them take, `wide` what any of them
// does. What is negated is widened first, so that the result is narrow again.
struct RegexClass {
  CharSet narrow, wide;

  RegexClass opposite() const { return {wide.complement(), narrow.complement()}; }
  void add(const RegexClass& other) {
    narrow.add(other.narrow);
    wide.add(other.wide);
  }
  void add(const CharSet& set) { add(RegexClass{set, set}); }
};

// \d \w \s \D \W \S by their letter; nothing for another.
std::optional<RegexClass> regex_class(char letter);
// \p{name}: L, N, P, S, M and their long names.
std::optional<CharSet> unicode_property(std::string_view name);
// What . matches.
CharSet regex_dot();

}  // namespace ponder
