#include "text/grammar/regex_classes.hpp"

#include "text/unicode.hpp"

namespace ponder {

namespace {

RegexClass word_class() {
  const CharSet narrow = CharSet::range('0', '9').add('A', 'Z').add('a', 'z').add('_', '_');
  return {narrow, CharSet::of_class(kLetter | kNumber | kMark).add(narrow)};
}

// Python counts U+001C to U+001F, ECMA-262 U+FEFF.
RegexClass space_class() {
  return {CharSet::of(" \t\n\r\f\v"),
          CharSet::of_class(kSpace).add(0x1c, 0x1f).add(0xfeff, 0xfeff)};
}

}  // namespace

// Each class is found once: a pattern may name it often.
std::optional<RegexClass> regex_class(char letter) {
  static const RegexClass digit = {CharSet::range('0', '9'), CharSet::of_class(kNumber)};
  static const RegexClass word = word_class(), space = space_class();
  static const RegexClass no_digit = digit.opposite(), no_word = word.opposite(),
                          no_space = space.opposite();
  switch (letter) {
    case 'd':
      return digit;
    case 'w':
      return word;
    case 's':
      return space;
    case 'D':
      return no_digit;
    case 'W':
      return no_word;
    case 'S':
      return no_space;
    default:
      return {};
  }
}

std::optional<CharSet> unicode_property(std::string_view name) {
  static const CharSet letter = CharSet::of_class(kLetter), number = CharSet::of_class(kNumber),
                       punctuation = CharSet::of_class(kPunctuation),
                       symbol = CharSet::of_class(kSymbol), mark = CharSet::of_class(kMark);
  if (name == "L" || name == "Letter") return letter;
  if (name == "N" || name == "Number") return number;
  if (name == "P" || name == "Punctuation") return punctuation;
  if (name == "S" || name == "Symbol") return symbol;
  if (name == "M" || name == "Mark") return mark;
  return {};
}

CharSet regex_dot() { return CharSet::of("\n\r").add(0x2028, 0x2029).complement(); }

}  // namespace ponder
