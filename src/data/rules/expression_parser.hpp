// A small language for rules of one's own:
//
//   words >= 50 && chars / words < 12 && !(lang == "fr") && contains(text, "theorem")
//
// Values are numbers and texts. Names are chars, words, lines, bytes, id, url, text, or fields of
// the record (meta.score). && || ! == != < <= > >= + - * / ( ), and contains(a, b),
// starts_with(a, b), ends_with(a, b), count(a, b), length(a). True is 1, false 0. A field that is
// absent is not equal to anything, and no number.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace ponder {

// A number (NaN: none) or a text.
using ExpressionValue = std::variant<double, std::string>;
using ExpressionNames = std::function<ExpressionValue(std::string_view name)>;

class Expression {
 public:
  // Errors name the place in the text. Nesting is bounded.
  static Result<Expression> parse(std::string_view text);

  bool is_true(const ExpressionNames& names) const;

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
};

}  // namespace ponder
