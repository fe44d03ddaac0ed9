#include "judge/maths/real_set.hpp"

#include <algorithm>

namespace ponder {
namespace {

using MaybeSet = std::optional<RealSet>;
constexpr size_t kMostIntervals = 64;

Expr infinity(bool negative) {
  Expr expr{ExprKind::kConstant, "infinity", {}, {}};
  return negative ? make_expr(ExprKind::kNegative, {expr}) : expr;
}

RealSet all_reals() { return {{infinity(true), infinity(false), false, false}}; }

class SetBuilder {
 public:
  explicit SetBuilder(Steps& steps) : steps_(steps) {}

  MaybeSet build(const Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kConstant:
        if (expr.name == "reals") return all_reals();
        return expr.name == "empty" ? MaybeSet(RealSet{}) : std::nullopt;
      case ExprKind::kTuple:
        return interval(expr);
      case ExprKind::kSet:
        return points(expr);
      case ExprKind::kJoined:
        return joined(expr);
      case ExprKind::kMember:
        return expr.args[0].kind == ExprKind::kVariable ? build(expr.args[1]) : std::nullopt;
      case ExprKind::kSuchThat:
        return such_that(expr);
      case ExprKind::kRelation:
        return relation(expr);
      case ExprKind::kList:
        return expr.name.empty() ? std::nullopt : combined(expr.args, expr.name == "or");
      default:
        return std::nullopt;
    }
  }

 private:
  MaybeSet interval(const Expr& expr) {
    if (expr.args.size() != 2) return std::nullopt;
    return single({expr.args[0], expr.args[1], expr.name[0] == '[', expr.name[1] == ']'});
  }

  MaybeSet points(const Expr& expr) {
    RealSet set;
    for (const Expr& arg : expr.args) set.push_back({arg, arg, true, true});
    return normal(std::move(set));
  }

  MaybeSet joined(const Expr& expr) {
    const MaybeSet left = build(expr.args[0]), right = left ? build(expr.args[1]) : std::nullopt;
    if (!right) return std::nullopt;
    if (expr.name == "union") return united(*left, *right);
    if (expr.name == "intersection") return crossed(*left, *right);
    const MaybeSet others = complement(*right);
    return others ? crossed(*left, *others) : std::nullopt;
  }

  // {x | conditions}, {x ∈ A | conditions}: a comma means "and".
  MaybeSet such_that(const Expr& expr) {
    const Expr &element = expr.args[0], &condition = expr.args[1];
    const MaybeSet within =
        element.kind == ExprKind::kVariable ? MaybeSet(all_reals()) : build(element);
    const MaybeSet where = condition.kind == ExprKind::kList
                               ? combined(condition.args, condition.name == "or")
                               : build(condition);
    return within && where ? crossed(*within, *where) : std::nullopt;
  }

  MaybeSet combined(const std::vector<Expr>& parts, bool any) {
    MaybeSet all = any ? RealSet{} : all_reals();
    for (const Expr& part : parts) {
      const MaybeSet next = all ? build(part) : std::nullopt;
      if (!next) return std::nullopt;
      all = any ? united(*all, *next) : crossed(*all, *next);
    }
    return all;
  }

  // 1 < x ≤ 3, x ≠ 2: one variable, alone on its side.
  MaybeSet relation(const Expr& expr) {
    const auto is_variable = [](const Expr& side) { return side.kind == ExprKind::kVariable; };
    if (std::count_if(expr.args.begin(), expr.args.end(), is_variable) != 1) return std::nullopt;
    MaybeSet all = all_reals();
    for (size_t i = 0; i < expr.name.size(); ++i) {
      const bool variable_left = is_variable(expr.args[i]);
      if (!variable_left && !is_variable(expr.args[i + 1])) return std::nullopt;
      const Expr& bound = expr.args[variable_left ? i + 1 : i];
      const MaybeSet next = ray(bound, expr.name[i], variable_left);
      all = all && next ? crossed(*all, *next) : std::nullopt;
    }
    return all;
  }

  // x op bound, or bound op x.
  MaybeSet ray(const Expr& bound, char op, bool variable_left) {
    const bool closed = op == 'l' || op == 'g';
    const bool below = (op == '<' || op == 'l') == variable_left;
    if (op == '=' || op == 'n') {
      const MaybeSet point = single({bound, bound, true, true});
      return point && op == 'n' ? complement(*point) : point;
    }
    if (op != '<' && op != '>' && !closed) return std::nullopt;
    Interval one{bound, bound, closed, closed};
    (below ? one.low : one.high) = infinity(below);
    return single(std::move(one));
  }

  MaybeSet single(Interval one) {
    RealSet set;
    set.push_back(std::move(one));
    return normal(std::move(set));
  }

  // Sorted, merged, empty ones dropped.
  MaybeSet normal(RealSet set) {
    if (set.size() > kMostIntervals) return std::nullopt;
    RealSet sorted;
    for (Interval& one : set) {
      one.low_closed &= infinite_sign(one.low) == 0;
      one.high_closed &= infinite_sign(one.high) == 0;
      const Order order = order_of(one.low, one.high, steps_);
      // What has no place among the numbers cannot be ordered with one.
      if (order == Order::kUnknown || !is_place(one.low) || !is_place(one.high))
        return std::nullopt;
      if (order == Order::kGreater) continue;
      if (order == Order::kEqual && !(one.low_closed && one.high_closed)) continue;
      size_t at = sorted.size();
      for (; at > 0; --at) {
        const Order before = order_of(sorted[at - 1].low, one.low, steps_);
        if (before == Order::kUnknown) return std::nullopt;
        if (before == Order::kLess || (before == Order::kEqual && sorted[at - 1].low_closed)) break;
      }
      sorted.insert(sorted.begin() + static_cast<std::ptrdiff_t>(at), std::move(one));
    }
    return merged(std::move(sorted));
  }

  bool is_place(const Expr& end) {
    return infinite_sign(end) != 0 || order_of(end, number_expr(0), steps_) != Order::kUnknown;
  }

  MaybeSet merged(RealSet sorted) {
    RealSet set;
    for (Interval& one : sorted) {
      if (!set.empty()) {
        Interval& last = set.back();
        const Order gap = order_of(last.high, one.low, steps_);
        if (gap == Order::kUnknown) return std::nullopt;
        const bool touch = gap == Order::kGreater ||
                           (gap == Order::kEqual && (last.high_closed || one.low_closed));
        if (touch) {
          const Order ends = order_of(last.high, one.high, steps_);
          if (ends == Order::kUnknown) return std::nullopt;
          if (ends == Order::kEqual) last.high_closed |= one.high_closed;
          if (ends == Order::kLess) last.high = one.high, last.high_closed = one.high_closed;
          continue;
        }
      }
      set.push_back(std::move(one));
    }
    return set;
  }

  MaybeSet united(const RealSet& a, const RealSet& b) {
    RealSet both = a;
    both.insert(both.end(), b.begin(), b.end());
    return normal(std::move(both));
  }

  MaybeSet crossed(const RealSet& a, const RealSet& b) {
    const MaybeSet not_a = complement(a), not_b = complement(b);
    const MaybeSet neither = not_a && not_b ? united(*not_a, *not_b) : std::nullopt;
    return neither ? complement(*neither) : std::nullopt;
  }

  // Of a normal set: the gaps between its intervals.
  MaybeSet complement(const RealSet& set) {
    RealSet gaps;
    Expr low = infinity(true);
    bool low_closed = false;
    for (const Interval& one : set) {
      gaps.push_back({low, one.low, low_closed, !one.low_closed});
      low = one.high, low_closed = !one.high_closed;
    }
    gaps.push_back({low, infinity(false), low_closed, false});
    return normal(std::move(gaps));
  }

  Steps& steps_;
};

}  // namespace

std::optional<RealSet> real_set_of(const Expr& expr, Steps& steps) {
  return SetBuilder(steps).build(expr);
}

Equality equal_sets(const RealSet& a, const RealSet& b, Steps& steps) {
  if (a.size() != b.size()) return Equality::kUnequal;
  Equality all = Equality::kEqual;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].low_closed != b[i].low_closed || a[i].high_closed != b[i].high_closed)
      return Equality::kUnequal;
    for (const Equality ends :
         {equal_scalars(a[i].low, b[i].low, steps), equal_scalars(a[i].high, b[i].high, steps)}) {
      if (ends == Equality::kUnequal) return ends;
      if (ends == Equality::kUndecided) all = ends;
    }
  }
  return all;
}

}  // namespace ponder
