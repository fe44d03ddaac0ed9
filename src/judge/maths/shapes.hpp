// What answers are made of besides numbers: labels, signs that stand for two, words, units.
#pragma once

#include "judge/maths/exact.hpp"

namespace ponder {

// ±a and a±b as the list of both; in a list or set, its elements. Others stay what they are.
Expr without_plus_minus(Expr expr);

// Words that mean a value: "no solution" is ∅, "three" is 3. "None" and the like stay words.
Expr with_words_read(Expr expr);

// x, f(x), P(x): what may stand before = as the name of what follows.
bool is_label(const Expr& expr);

// The operators of a relation are all of < ≤ > ≥ ≠.
bool is_inequality(const Expr& expr);

// Words of one meaning each: without articles, plurals and full stops.
std::vector<std::string> content_words(const std::string& text);

// In base units of its dimension; nothing if the unit is not known.
struct Measure {
  std::string dimension;
  Rational factor;
};
std::optional<Measure> measure_of(const std::string& unit);

}  // namespace ponder
