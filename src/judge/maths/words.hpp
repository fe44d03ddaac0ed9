// The names, commands, characters and units that the checker of maths knows.
#pragma once

#include <string_view>

#include "judge/maths/lexer.hpp"

namespace ponder {

struct NamedMaths {
  std::string_view name;
  MathTokenKind kind;
  std::string_view meaning;
};
// sin, pi, infinity, and, … in plain text; nullptr if it is none. Greek letters are kLetter.
const NamedMaths* find_named(std::string_view word);
// The same of a command of LaTeX, without its backslash.
const NamedMaths* find_command(std::string_view name);
bool is_spacing_command(std::string_view name);
bool is_text_command(std::string_view name);

struct UnicodeMaths {
  std::string_view text;
  MathTokenKind kind;
  std::string_view meaning;  // "^2" for ²; kEnd: a space
};
// The character that `text` begins with.
const UnicodeMaths* find_unicode(std::string_view text);

// A unit as its factor to the base unit of its dimension: 1 cm = 1/100 m.
struct Unit {
  std::string_view name;
  std::string_view dimension;  // "length", "area" …
  long top, bottom;
};
const Unit* find_unit(std::string_view name);  // also plurals
// A word of two or three letters that is no product of variables.
bool is_known_word(std::string_view word);

}  // namespace ponder
