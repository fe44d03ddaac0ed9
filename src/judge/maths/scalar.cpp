#include "judge/maths/scalar.hpp"

#include <algorithm>

#include "base/rng.hpp"
#include "judge/maths/value.hpp"

namespace ponder {
namespace {

constexpr int kPoints = 16, kEnough = 5;

// Point number `point`: the same for every comparison. The first half is positive. Sizes are below
// 8, below 1 (which some functions want), below 200 and below 20000 (where others change), in turn.
std::vector<Binding> point_at(const std::vector<std::string>& names, int point) {
  Rng rng(0x6d61746873, static_cast<uint64_t>(point));
  std::vector<Binding> bindings;
  for (const std::string& name : names) {
    const auto bottom = static_cast<int64_t>(1009 + rng.next_below(7919));
    constexpr int64_t kSizes[] = {8, 1, 200, 20000};
    const int64_t most = kSizes[point % 4] * bottom - 1;
    const auto top = static_cast<int64_t>(1 + rng.next_below(static_cast<uint64_t>(most)));
    const bool negative = point >= kPoints / 2 && rng.next_below(2) == 0;
    bindings.push_back({name, Rational(negative ? -top : top, bottom)});
  }
  return bindings;
}

std::vector<std::string> union_of(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  a.erase(std::unique(a.begin(), a.end()), a.end());
  return a;
}

bool has_i(const Expr& expr) { return contains_name(expr, ExprKind::kConstant, "i"); }

Equality verdict_of(ZeroTest difference) {
  return difference == ZeroTest::kZero      ? Equality::kEqual
         : difference == ZeroTest::kNonzero ? Equality::kUnequal
                                            : Equality::kUndecided;
}

Equality equal_constants(const Expr& a, const Expr& b, Steps& steps) {
  const Evaluation on{{}, steps, true};
  const auto x = evaluate(a, on), y = evaluate(b, on);
  const auto difference = x && y ? subtract(*x, *y) : std::nullopt;
  return difference ? verdict_of(zero_test(*difference)) : Equality::kUndecided;
}

Expr difference_of(const Expr& left, const Expr& right) {
  return make_expr(ExprKind::kSum, {left, make_expr(ExprKind::kNegative, {right})});
}

// How two expressions relate at the points: whether one is the other times a constant.
struct Proportion {
  bool constant = false;  // at enough points
  bool positive = false;
};

Proportion proportion_of(const Expr& a, const Expr& b, const std::vector<std::string>& names,
                         Steps& steps) {
  std::optional<Value> first_a, first_b;
  int same = 0;
  for (int point = 0; point < kPoints; ++point) {
    const auto bindings = point_at(names, point);
    const Evaluation on{bindings, steps};
    const auto x = evaluate(a, on), y = evaluate(b, on);
    if (!x || !y) continue;
    if (!first_a) {
      if (zero_test(*x) != ZeroTest::kNonzero || zero_test(*y) != ZeroTest::kNonzero) return {};
      first_a = x, first_b = y;
      continue;
    }
    const auto left = multiply(*x, *first_b), right = multiply(*y, *first_a);
    const auto difference = left && right ? subtract(*left, *right) : std::nullopt;
    if (!difference || zero_test(*difference) != ZeroTest::kZero) return {};
    ++same;
  }
  if (same < kEnough) return {};
  return {true, sign_of(*first_a) == sign_of(*first_b)};
}

void set(std::vector<Binding>& bindings, const std::string& name, Value value) {
  for (Binding& binding : bindings)
    if (binding.name == name) binding.value = std::move(value);
}

Value whole(int value) { return Rational(value); }

std::optional<Value> negated(const Value& value) { return subtract(whole(0), value); }

// Values of `name` where `expr` is 0, if it is a polynomial of degree 1 or 2 in it.
std::vector<Value> zeros_in(const Expr& expr, const std::string& name,
                            std::vector<Binding> bindings, Steps& steps) {
  const auto at = [&](int value) {
    set(bindings, name, whole(value));
    return evaluate(expr, {bindings, steps});
  };
  const auto c = at(0), plus = at(1), minus = at(-1), two = at(2);
  if (!c || !plus || !minus || !two) return {};
  // f(±1) = a ± b + c, f(2) = 4a + 2b + c
  const auto both = subtract(*plus, *negated(*minus)), twice_b = subtract(*plus, *minus);
  const auto twice_c = multiply(whole(2), *c);
  const auto twice_a = both && twice_c ? subtract(*both, *twice_c) : std::nullopt;
  const auto b = twice_b ? divide(*twice_b, whole(2)) : std::nullopt;
  if (!twice_a || !b) return {};
  const auto four_a = multiply(whole(2), *twice_a), more = subtract(*two, *c);
  const auto rest = four_a && more ? subtract(*more, *four_a) : std::nullopt;
  const auto deviation = rest ? subtract(*rest, *twice_b) : std::nullopt;
  if (!deviation || zero_test(*deviation) != ZeroTest::kZero) return {};
  const auto minus_b = negated(*b);
  if (!minus_b) return {};
  if (zero_test(*twice_a) == ZeroTest::kZero) {
    const auto minus_c = negated(*c);
    const auto zero = minus_c ? divide(*minus_c, *b) : std::nullopt;
    return zero ? std::vector<Value>{*zero} : std::vector<Value>{};
  }
  const auto square = multiply(*b, *b), product = multiply(*twice_a, *twice_c);
  const auto under = square && product ? subtract(*square, *product) : std::nullopt;
  const MaybeBall ball = under ? as_ball(*under) : std::nullopt;
  const MaybeBall root = ball ? ball_root(*ball, 2, false) : std::nullopt;
  if (!root) return {};
  std::vector<Value> zeros;
  for (const Ball& one : {*root, *ball_negate(*root)}) {
    const auto top = subtract(*minus_b, Value(one));
    const auto zero = top ? divide(*top, *twice_a) : std::nullopt;
    if (zero) zeros.push_back(*zero);
  }
  return zeros;
}

// Is there a point where `a` is 0 and `b` surely is not?
bool leaves_zeros(const Expr& a, const Expr& b, const std::vector<std::string>& names,
                  Steps& steps) {
  for (const std::string& name : variables_of(a)) {
    for (int point = 0; point < kPoints; ++point) {
      std::vector<Binding> bindings = point_at(names, point);
      for (Value& zero : zeros_in(a, name, bindings, steps)) {
        set(bindings, name, std::move(zero));
        const auto value = evaluate(b, {bindings, steps});
        if (value && zero_test(*value) == ZeroTest::kNonzero) return true;
      }
    }
  }
  return false;
}

}  // namespace

int infinite_sign(const Expr& expr) {
  if (expr.kind == ExprKind::kNegative) return -infinite_sign(expr.args[0]);
  return expr.kind == ExprKind::kConstant && expr.name == "infinity" ? 1 : 0;
}

std::optional<Rational> exact_value(const Expr& expr, Steps& steps) {
  const ExactValue value = evaluate_exactly(
      expr, [](const std::string&) { return nullptr; }, steps);
  return value.state == Exactness::kValue ? std::optional(value.value) : std::nullopt;
}

Equality equal_scalars(const Expr& a, const Expr& b, Steps& steps) {
  if (a == b) return Equality::kEqual;
  const int infinite_a = infinite_sign(a), infinite_b = infinite_sign(b);
  const std::vector<std::string> names = union_of(variables_of(a), variables_of(b));
  if (infinite_a != 0 && infinite_b != 0)
    return infinite_a == infinite_b ? Equality::kEqual : Equality::kUnequal;
  if (infinite_a != 0 || infinite_b != 0) {
    const auto bindings = point_at(names, 0);
    const auto finite = evaluate(infinite_a != 0 ? b : a, {bindings, steps, true});
    return finite ? Equality::kUnequal : Equality::kUndecided;
  }
  if (names.empty()) return equal_constants(a, b, steps);
  int same = 0;
  bool doubt = false;
  for (int point = 0; point < kPoints; ++point) {
    const auto bindings = point_at(names, point);
    const Evaluation on{bindings, steps, has_i(a) || has_i(b)};
    const auto x = evaluate(a, on);
    const auto y = x ? evaluate(b, on) : std::nullopt;
    if (!y) continue;
    const auto difference = subtract(*x, *y);
    const ZeroTest zero = difference ? zero_test(*difference) : ZeroTest::kUnknown;
    if (zero == ZeroTest::kNonzero) return Equality::kUnequal;
    doubt |= zero == ZeroTest::kUnknown;
    ++same;
  }
  return same >= kEnough && !doubt ? Equality::kEqual : Equality::kUndecided;
}

Order order_of(const Expr& a, const Expr& b, Steps& steps) {
  if (a == b) return Order::kEqual;
  const int infinite_a = infinite_sign(a), infinite_b = infinite_sign(b);
  if (infinite_a != infinite_b && (infinite_a == -1 || infinite_b == 1)) return Order::kLess;
  if (infinite_a != infinite_b && (infinite_a == 1 || infinite_b == -1)) return Order::kGreater;
  const Evaluation on{{}, steps};
  const auto x = evaluate(a, on), y = evaluate(b, on);
  const auto difference = x && y ? subtract(*x, *y) : std::nullopt;
  if (!difference) return Order::kUnknown;
  switch (sign_of(*difference)) {
    case Sign::kNegative:
      return Order::kLess;
    case Sign::kZero:
      return Order::kEqual;
    case Sign::kPositive:
      return Order::kGreater;
    case Sign::kUnknown:
      break;
  }
  return Order::kUnknown;
}

Equality equal_equations(const Equation& a, const Equation& b, Steps& steps) {
  const Expr first = difference_of(a.left, a.right), second = difference_of(b.left, b.right);
  const auto names = union_of(variables_of(first), variables_of(second));
  if (names.empty()) return Equality::kUndecided;
  if (proportion_of(first, second, names, steps).constant) return Equality::kEqual;
  if (leaves_zeros(first, second, names, steps) || leaves_zeros(second, first, names, steps))
    return Equality::kUnequal;
  return Equality::kUndecided;
}

Equality equal_inequalities(const Inequality& a, const Inequality& b, Steps& steps) {
  const Expr first = difference_of(a.larger, a.smaller),
             second = difference_of(b.larger, b.smaller);
  const auto names = union_of(variables_of(first), variables_of(second));
  if (names.empty()) return Equality::kUndecided;
  const Proportion proportion = proportion_of(first, second, names, steps);
  if (proportion.constant && proportion.positive)
    return a.strict == b.strict ? Equality::kEqual : Equality::kUnequal;
  for (int point = 0; point < 2 * kPoints; ++point) {
    const auto bindings = point_at(names, point);
    const Evaluation on{bindings, steps};
    const auto x = evaluate(first, on), y = evaluate(second, on);
    if (!x || !y) continue;
    const Sign left = sign_of(*x), right = sign_of(*y);
    const bool known = left != Sign::kUnknown && left != Sign::kZero && right != Sign::kUnknown &&
                       right != Sign::kZero;
    if (known && left != right) return Equality::kUnequal;
  }
  return Equality::kUndecided;
}

}  // namespace ponder
