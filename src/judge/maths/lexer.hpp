// LaTeX and plain text cut into the tokens that the parser of maths reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

enum class MathTokenKind {
  kNumber,    // text: digits, perhaps a point; "e" and an exponent
  kLetter,    // a variable: x, alpha
  kConstant,  // pi, e, i, infinity, reals, integers, naturals, rationals, complex, empty
  kFunction,  // sin, ln, sqrt, frac, …
  kWord,      // part of a text, or a unit; lower case
  kSymbol,    // operators and brackets: + ^ <= union { \{ begin …
  kBased,     // digits of another base than ten, with letters among them
  kEnd
};

struct MathToken {
  MathTokenKind kind = MathTokenKind::kEnd;
  std::string text;
  bool space_before = false;
  std::string repeated = {};  // kNumber: digits under a bar: 0.1\overline{6}
};

struct LexedMaths {
  std::vector<MathToken> tokens;  // the last is kEnd
  bool grouped_digits = false;    // a comma between digits was taken as part of a number
};

// Nothing if the text has what is not understood, or is longer than kMostMathBytes.
// `group_digits`: 1,234 is one number, not two.
constexpr size_t kMostMathBytes = 4096;
std::optional<LexedMaths> lex_maths(std::string_view text, bool group_digits);

}  // namespace ponder
