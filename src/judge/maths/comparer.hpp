// Compares two expressions, kind by kind.
#pragma once

#include <span>

#include "judge/maths/exact.hpp"
#include "judge/maths/maths.hpp"

namespace ponder {

// What all of several comparisons say together: unequal if one does, else undecided if one does.
Equality both_of(Equality a, Equality b);

class Comparer {
 public:
  Comparer(const MathsOptions& options, Steps& steps) : options_(options), steps_(steps) {}

  Equality compare(const Expr& a, const Expr& b);

 private:
  // comparer.cpp
  Equality by_kind(const Expr& a, const Expr& b);
  Equality texts(const Expr& a, const Expr& b);
  Equality text_and_other(const Expr& text, const Expr& other);
  Equality quantities(const Expr& a, const Expr& b);
  Equality quantity_and_plain(const Expr& quantity, const Expr& plain);
  Equality percent_and_plain(const Expr& percent, const Expr& plain);
  Equality relations(const Expr& a, const Expr& b);
  Equality relation_and_other(const Expr& relation, const Expr& other);
  Equality based_and_other(const Expr& based, const Expr& other);
  Equality congruences(const Expr& a, const Expr& b);

  // comparer_collections.cpp
  Equality collections(const Expr& a, const Expr& b);
  Equality in_order(std::span<const Expr> a, std::span<const Expr> b);
  Equality in_any_order(std::span<const Expr> a, std::span<const Expr> b);
  Equality with_dots(std::span<const Expr> a, std::span<const Expr> b);
  Equality tuples(const Expr& a, const Expr& b);
  Equality matrix_and_tuple(const Expr& matrix, const Expr& tuple);
  Equality list_and_tuple(const Expr& list, const Expr& tuple);
  Equality ratios(const Expr& a, const Expr& b);
  std::vector<Expr> each_once(const std::vector<Expr>& elements);

  const MathsOptions& options_;
  Steps& steps_;
  int depth_ = 0;
};

}  // namespace ponder
