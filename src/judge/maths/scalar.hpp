// Expressions compared by value: once if they have no variables, else at many points.
#pragma once

#include "judge/maths/exact.hpp"
#include "judge/maths/maths.hpp"

namespace ponder {

Equality equal_scalars(const Expr& a, const Expr& b, Steps& steps);

enum class Order { kLess, kEqual, kGreater, kUnknown };
// Of expressions without variables, −∞ and ∞ among them.
Order order_of(const Expr& a, const Expr& b, Steps& steps);

// Have left = right and other_left = other_right the same solutions? Equal if the differences of
// their sides are proportional, unequal if a solution of one is not one of the other.
struct Equation {
  const Expr& left;
  const Expr& right;
};
Equality equal_equations(const Equation& a, const Equation& b, Steps& steps);

// The same of smaller < larger, or ≤ if not `strict`, in more than one variable.
struct Inequality {
  const Expr& smaller;
  const Expr& larger;
  bool strict;
};
Equality equal_inequalities(const Inequality& a, const Inequality& b, Steps& steps);

// The value, if the expression has no variables and is a fraction.
std::optional<Rational> exact_value(const Expr& expr, Steps& steps);
// −1 or 1 for −∞ and ∞, else 0.
int infinite_sign(const Expr& expr);

}  // namespace ponder
