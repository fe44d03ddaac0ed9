// The value of an expression: a fraction where it has one, else a ball.
#pragma once

#include <span>
#include <string>
#include <variant>

#include "judge/maths/ball.hpp"
#include "judge/maths/exact.hpp"

namespace ponder {

using Value = std::variant<Rational, Ball>;

struct Binding {
  std::string name;
  Value value;
};

struct Evaluation {
  std::span<const Binding> bindings;
  Steps& steps;
  bool complex = false;  // roots of negative numbers exist
};

// Nothing where it is not defined, not known, or out of bounds.
std::optional<Value> evaluate(const Expr& expr, const Evaluation& evaluation);

MaybeBall as_ball(const Value& value);
std::optional<Value> subtract(const Value& a, const Value& b);
std::optional<Value> multiply(const Value& a, const Value& b);
std::optional<Value> divide(const Value& a, const Value& b);
ZeroTest zero_test(const Value& value);
Sign sign_of(const Value& value);

}  // namespace ponder
