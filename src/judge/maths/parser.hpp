// Tokens of maths to an expression.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "judge/maths/expression.hpp"

namespace ponder {

// Where a text can be read in two ways, which one.
struct MathReading {
  bool group_digits = true;     // 1,234 is one number
  bool tight_products = false;  // 1/2x is 1/(2x)
  bool natural_log = false;     // log x is ln x, not to base 10
};

struct ParsedMaths {
  Expr expr;
  MathReading matters = {false, false, false};  // which of the choices the text has
};

// Nothing if the text is not understood, or nested deeper than some 40 brackets.
std::optional<ParsedMaths> parse_maths(std::string_view text, const MathReading& reading);

// The words and signs of a text in one normal form, lower case; for texts that are no mathematics.
std::string plain_words(std::string_view text);

}  // namespace ponder
