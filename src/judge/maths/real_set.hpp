// Sets of real numbers as unions of intervals: what inequalities, intervals, unions and set
// builders have in common.
#pragma once

#include <optional>
#include <vector>

#include "judge/maths/scalar.hpp"

namespace ponder {

struct Interval {
  Expr low, high;  // without variables, or infinite
  bool low_closed = false, high_closed = false;
};

// In ascending order, without overlap; no two could be one.
using RealSet = std::vector<Interval>;

// Nothing if `expr` is no such set, or its ends cannot be ordered. Understands intervals, {1,2}, ∅,
// ℝ, unions, intersections, differences, x ∈ A, {x | …}, inequalities of one variable with
// constants and what "and" and "or" make of them.
std::optional<RealSet> real_set_of(const Expr& expr, Steps& steps);

Equality equal_sets(const RealSet& a, const RealSet& b, Steps& steps);

}  // namespace ponder
