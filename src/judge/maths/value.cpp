#include "judge/maths/value.hpp"

#include <algorithm>

namespace ponder {
namespace {

constexpr int64_t kBallSteps = 5, kFunctionSteps = 200;

class BallEvaluator {
 public:
  explicit BallEvaluator(const Evaluation& evaluation) : on_(evaluation) {}

  MaybeBall evaluate(const Expr& expr) {
    if (!on_.steps.spend(kBallSteps)) return std::nullopt;
    switch (expr.kind) {
      case ExprKind::kNumber:
        return ball_of(expr.value);
      case ExprKind::kVariable:
        for (const Binding& binding : on_.bindings)
          if (binding.name == expr.name) return as_ball(binding.value);
        return std::nullopt;
      case ExprKind::kConstant:
        return constant(expr.name);
      case ExprKind::kSum:
        return folded(expr, ball_add);
      case ExprKind::kProduct:
        return folded(expr, ball_multiply);
      case ExprKind::kNegative: {
        const MaybeBall inner = evaluate(expr.args[0]);
        return inner ? ball_negate(*inner) : std::nullopt;
      }
      case ExprKind::kQuotient:
        return folded(expr, ball_divide);
      case ExprKind::kPower:
        return power(expr.args[0], expr.args[1]);
      case ExprKind::kRoot:
        return root(expr);
      case ExprKind::kFunction:
        return function(expr);
      case ExprKind::kQuantity:
        return quantity(expr);
      default:
        return exact_ball(expr);
    }
  }

 private:
  using Operation = MaybeBall (*)(const Ball&, const Ball&);

  MaybeBall folded(const Expr& expr, Operation operation) {
    MaybeBall result = evaluate(expr.args[0]);
    for (size_t i = 1; i < expr.args.size() && result; ++i) {
      const MaybeBall next = evaluate(expr.args[i]);
      result = next ? operation(*result, *next) : std::nullopt;
    }
    return result;
  }

  static MaybeBall constant(const std::string& name) {
    if (name == "pi") return ball_pi();
    if (name == "e") return ball_exp({1, 0, kExactly, true});
    if (name == "i") return Ball{0, 1, kExactly, false};
    return std::nullopt;
  }

  ExactValue exact(const Expr& expr) {
    return evaluate_exactly(
        expr,
        [this](const std::string& name) -> const Rational* {
          for (const Binding& binding : on_.bindings)
            if (binding.name == name) return std::get_if<Rational>(&binding.value);
          return nullptr;
        },
        on_.steps);
  }

  MaybeBall exact_ball(const Expr& expr) {
    const ExactValue value = exact(expr);
    return value.state == Exactness::kValue ? ball_of(value.value) : std::nullopt;
  }

  MaybeBall power(const Expr& base, const Expr& exponent) {
    if (!on_.steps.spend(2 * kFunctionSteps)) return std::nullopt;
    if (base.kind == ExprKind::kConstant && base.name == "e") {
      const MaybeBall to = evaluate(exponent);
      return to ? ball_exp(*to) : std::nullopt;
    }
    const MaybeBall of = evaluate(base);
    if (!of) return std::nullopt;
    const ExactValue exactly = exact(exponent);
    const bool small = exactly.state == Exactness::kValue &&
                       abs(numerator(exactly.value)) <= 10000 && denominator(exactly.value) <= 1000;
    if (small) {
      const auto top = static_cast<long>(numerator(exactly.value));
      const auto bottom = static_cast<long>(denominator(exactly.value));
      if (bottom == 1) return ball_integer_power(*of, top);
      const MaybeBall rooted = ball_root(*of, bottom, on_.complex);
      return rooted ? ball_integer_power(*rooted, top) : std::nullopt;
    }
    const MaybeBall to = evaluate(exponent), logarithm = ball_log(*of);
    const MaybeBall product = to && logarithm ? ball_multiply(*to, *logarithm) : std::nullopt;
    return product ? ball_exp(*product) : std::nullopt;
  }

  MaybeBall root(const Expr& expr) {
    if (!on_.steps.spend(kFunctionSteps)) return std::nullopt;
    const ExactValue index = exact(expr.args[1]);
    const bool small = index.state == Exactness::kValue && denominator(index.value) == 1 &&
                       index.value > 0 && index.value <= 1000;
    const MaybeBall of = small ? evaluate(expr.args[0]) : std::nullopt;
    return of ? ball_root(*of, static_cast<long>(numerator(index.value)), on_.complex)
              : std::nullopt;
  }

  MaybeBall function(const Expr& expr) {
    if (!on_.steps.spend(kFunctionSteps)) return std::nullopt;
    const std::string& name = expr.name;
    for (const std::string_view whole : {"floor", "ceil", "binom", "gcd", "lcm", "max", "min"})
      if (name == whole) return exact_ball(expr);
    const MaybeBall of = evaluate(expr.args[0]);
    if (!of) return std::nullopt;
    if (name == "abs") return ball_abs(*of);
    if (name == "exp") return ball_exp(*of);
    if (name == "ln") return ball_log(*of);
    if (name != "log") return ball_function(name, *of);
    const MaybeBall base = evaluate(expr.args[1]);
    const MaybeBall top = ball_log(*of), bottom = base ? ball_log(*base) : std::nullopt;
    return top && bottom ? ball_divide(*top, *bottom) : std::nullopt;
  }

  MaybeBall quantity(const Expr& expr) {
    if (expr.name != "%" && expr.name != "degree") return std::nullopt;
    const MaybeBall of = evaluate(expr.args[0]);
    const MaybeBall unit = expr.name == "%" ? ball_of(Rational(1, 100))
                                            : ball_divide(ball_pi(), {180, 0, kExactly, true});
    return of && unit ? ball_multiply(*of, *unit) : std::nullopt;
  }

  const Evaluation& on_;
};

// Applies `exactly` to two fractions, else `roughly` to two balls.
template <typename Exactly, typename Roughly>
std::optional<Value> apply(const Value& a, const Value& b, Exactly exactly, Roughly roughly) {
  if (const auto* x = std::get_if<Rational>(&a))
    if (const auto* y = std::get_if<Rational>(&b)) return Value(Rational(exactly(*x, *y)));
  const MaybeBall x = as_ball(a), y = as_ball(b);
  const MaybeBall result = x && y ? roughly(*x, *y) : std::nullopt;
  return result ? std::optional(Value(*result)) : std::nullopt;
}

}  // namespace

std::optional<Value> evaluate(const Expr& expr, const Evaluation& evaluation) {
  const auto lookup = [&](const std::string& name) -> const Rational* {
    for (const Binding& binding : evaluation.bindings)
      if (binding.name == name) return std::get_if<Rational>(&binding.value);
    return nullptr;
  };
  const ExactValue exact = evaluate_exactly(expr, lookup, evaluation.steps);
  if (exact.state == Exactness::kValue) return Value(exact.value);
  if (exact.state != Exactness::kIrrational) return std::nullopt;
  const MaybeBall ball = BallEvaluator(evaluation).evaluate(expr);
  return ball ? std::optional(Value(*ball)) : std::nullopt;
}

MaybeBall as_ball(const Value& value) {
  if (const auto* exact = std::get_if<Rational>(&value)) return ball_of(*exact);
  return std::get<Ball>(value);
}

std::optional<Value> subtract(const Value& a, const Value& b) {
  return apply(a, b, std::minus<>(),
               [](const Ball& x, const Ball& y) { return ball_add(x, *ball_negate(y)); });
}

std::optional<Value> multiply(const Value& a, const Value& b) {
  return apply(a, b, std::multiplies<>(), ball_multiply);
}

std::optional<Value> divide(const Value& a, const Value& b) {
  if (zero_test(b) != ZeroTest::kNonzero) return std::nullopt;
  return apply(a, b, std::divides<>(), ball_divide);
}

ZeroTest zero_test(const Value& value) {
  if (const auto* exact = std::get_if<Rational>(&value))
    return *exact == 0 ? ZeroTest::kZero : ZeroTest::kNonzero;
  return zero_test(std::get<Ball>(value));
}

Sign sign_of(const Value& value) {
  if (const auto* exact = std::get_if<Rational>(&value))
    return *exact == 0 ? Sign::kZero : *exact < 0 ? Sign::kNegative : Sign::kPositive;
  return sign_of(std::get<Ball>(value));
}

}  // namespace ponder
