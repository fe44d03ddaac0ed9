#include <algorithm>

#include "judge/maths/comparer.hpp"
#include "judge/maths/scalar.hpp"
#include "judge/maths/shapes.hpp"

namespace ponder {
namespace {

constexpr size_t kMostElements = 64;

bool has_dots(std::span<const Expr> elements) {
  return std::any_of(elements.begin(), elements.end(),
                     [](const Expr& one) { return one.kind == ExprKind::kDots; });
}

bool all_labelled(const Expr& list) {
  return std::all_of(list.args.begin(), list.args.end(), [](const Expr& one) {
    return one.kind == ExprKind::kRelation && one.name == "=" && is_label(one.args[0]);
  });
}

// Could it be a time of the day?
bool like_time(const Expr& ratio) {
  if (ratio.args.size() != 2) return false;
  const auto between = [](const Expr& part, int least, int most) {
    return part.kind == ExprKind::kNumber && part.value >= least && part.value <= most;
  };
  return between(ratio.args[0], 0, 24) && between(ratio.args[1], 10, 59);
}

}  // namespace

Equality both_of(Equality a, Equality b) {
  if (a == Equality::kUnequal || b == Equality::kUnequal) return Equality::kUnequal;
  return a == Equality::kUndecided ? a : b;
}

Equality Comparer::in_order(std::span<const Expr> a, std::span<const Expr> b) {
  if (has_dots(a) || has_dots(b)) return with_dots(a, b);
  if (a.size() != b.size()) return Equality::kUnequal;
  Equality all = Equality::kEqual;
  for (size_t i = 0; i < a.size() && all != Equality::kUnequal; ++i)
    all = both_of(all, compare(a[i], b[i]));
  return all;
}

// What stands before the first dots can be told apart; what the dots mean cannot.
Equality Comparer::with_dots(std::span<const Expr> a, std::span<const Expr> b) {
  bool same = a.size() == b.size();
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const bool dots = a[i].kind == ExprKind::kDots || b[i].kind == ExprKind::kDots;
    if (dots) return Equality::kUndecided;
    const Equality one = compare(a[i], b[i]);
    if (one == Equality::kUnequal) return one;
    same &= one == Equality::kEqual;
  }
  return Equality::kUndecided;
}

Equality Comparer::in_any_order(std::span<const Expr> a, std::span<const Expr> b) {
  if (has_dots(a) || has_dots(b)) return with_dots(a, b);
  if (a.size() > kMostElements || b.size() > kMostElements) return Equality::kUndecided;
  std::vector<bool> used(b.size(), false);
  bool doubt = false, missing = false;
  for (const Expr& wanted : a) {
    bool found = false, maybe = false;
    for (size_t i = 0; i < b.size() && !found; ++i) {
      if (used[i]) continue;
      const Equality one = compare(wanted, b[i]);
      if (one == Equality::kEqual) used[i] = found = true;
      maybe |= one == Equality::kUndecided;
    }
    doubt |= !found && maybe;
    missing |= !found && !maybe;
  }
  if (missing) return Equality::kUnequal;
  if (a.size() != b.size()) return Equality::kUnequal;
  return doubt ? Equality::kUndecided : Equality::kEqual;
}

std::vector<Expr> Comparer::each_once(const std::vector<Expr>& elements) {
  std::vector<Expr> once;
  for (const Expr& one : elements) {
    const bool known = once.size() < kMostElements &&
                       std::any_of(once.begin(), once.end(), [&](const Expr& other) {
                         return compare(one, other) == Equality::kEqual;
                       });
    if (!known) once.push_back(one);
  }
  return once;
}

Equality Comparer::tuples(const Expr& a, const Expr& b) {
  // Two numbers may be an interval: then the brackets matter.
  if (a.args.size() == 2 && a.name != b.name) {
    const bool mixed = a.name == "(]" || a.name == "[)" || b.name == "(]" || b.name == "[)";
    const Equality parts = in_order(a.args, b.args);
    return mixed || parts != Equality::kUndecided ? Equality::kUnequal : parts;
  }
  return in_order(a.args, b.args);
}

// A column or row as a tuple, or a tuple of rows.
Equality Comparer::matrix_and_tuple(const Expr& matrix, const Expr& tuple) {
  const size_t columns = std::stoul(matrix.name), rows = matrix.args.size() / columns;
  const bool of_rows = !tuple.args.empty() && tuple.args[0].kind == ExprKind::kTuple;
  if (!of_rows) {
    if (columns != 1 && rows != 1) return Equality::kUnequal;
    return in_order(matrix.args, tuple.args);
  }
  if (tuple.args.size() != rows) return Equality::kUnequal;
  Equality all = Equality::kEqual;
  for (size_t row = 0; row < rows; ++row) {
    if (tuple.args[row].kind != ExprKind::kTuple) return Equality::kUndecided;
    const std::span<const Expr> cells(matrix.args.data() + row * columns, columns);
    all = both_of(all, in_order(cells, tuple.args[row].args));
  }
  return all;
}

// Whether an order was asked for is not known: only the same order is surely equal.
Equality Comparer::list_and_tuple(const Expr& list, const Expr& tuple) {
  if (all_labelled(list)) {
    std::vector<Expr> values;
    for (const Expr& one : list.args) values.push_back(one.args.back());
    if (values.size() != tuple.args.size()) return Equality::kUnequal;
    const Equality ordered = in_order(values, tuple.args);
    if (ordered == Equality::kEqual) return ordered;
    return in_any_order(values, tuple.args) == Equality::kUnequal ? Equality::kUnequal
                                                                  : Equality::kUndecided;
  }
  const Equality ordered = in_order(list.args, tuple.args);
  const bool set = list.kind == ExprKind::kSet;
  if (ordered == Equality::kEqual) return set ? Equality::kUndecided : ordered;
  const Equality loose = in_any_order(list.args, tuple.args);
  return loose == Equality::kUnequal ? loose : Equality::kUndecided;
}

Equality Comparer::ratios(const Expr& a, const Expr& b) {
  const Equality parts = in_order(a.args, b.args);
  if (parts == Equality::kEqual || a.args.size() != b.args.size()) return parts;
  if (a.name == "time" || b.name == "time") return parts;
  Equality all = Equality::kEqual;
  for (size_t i = 1; i < a.args.size() && all != Equality::kUnequal; ++i) {
    const Expr left = make_expr(ExprKind::kProduct, {a.args[0], b.args[i]});
    const Expr right = make_expr(ExprKind::kProduct, {b.args[0], a.args[i]});
    all = both_of(all, equal_scalars(left, right, steps_));
  }
  if (all == Equality::kEqual && (like_time(a) || like_time(b))) return Equality::kUndecided;
  return all;
}

// Lists, sets, tuples and matrices, one of which at least is there.
Equality Comparer::collections(const Expr& a, const Expr& b) {
  const auto is = [](const Expr& expr, ExprKind kind) { return expr.kind == kind; };
  if (is(a, ExprKind::kMatrix) && is(b, ExprKind::kMatrix))
    return a.name == b.name ? in_order(a.args, b.args) : Equality::kUnequal;
  if (is(a, ExprKind::kTuple) && is(b, ExprKind::kTuple)) return tuples(a, b);
  for (const auto& [one, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    const bool loose = is(*one, ExprKind::kList) || is(*one, ExprKind::kSet);
    if (is(*one, ExprKind::kMatrix) && is(*other, ExprKind::kTuple))
      return matrix_and_tuple(*one, *other);
    if (loose && is(*other, ExprKind::kTuple)) return list_and_tuple(*one, *other);
  }
  const bool a_loose = is(a, ExprKind::kList) || is(a, ExprKind::kSet);
  const bool b_loose = is(b, ExprKind::kList) || is(b, ExprKind::kSet);
  if (a_loose && b_loose) {
    if (is(a, ExprKind::kList) && is(b, ExprKind::kList)) {
      if (has_dots(a.args) || has_dots(b.args)) return with_dots(a.args, b.args);
      return in_any_order(a.args, b.args);
    }
    return in_any_order(each_once(a.args), each_once(b.args));
  }
  if (a_loose != b_loose) {
    const Expr &many = a_loose ? a : b, &one = a_loose ? b : a;
    const std::vector<Expr> once = each_once(many.args);
    if (once.size() == 1) return compare(once[0], one);
    Equality any = Equality::kUnequal;
    for (const Expr& element : once)
      if (compare(element, one) == Equality::kUndecided) any = Equality::kUndecided;
    return any;
  }
  return Equality::kUnequal;  // a tuple or matrix, and one value
}

}  // namespace ponder
