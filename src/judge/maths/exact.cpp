#include "judge/maths/exact.hpp"

#include <algorithm>

namespace ponder {
namespace {

constexpr int64_t kMostBits = 65536, kMostRootBits = 8192;
constexpr int kMostFactorial = 5000, kMostTerms = 1000;

int64_t bits(const BigInt& value) {
  return value == 0 ? 1 : static_cast<int64_t>(msb(BigInt(abs(value)))) + 1;
}
int64_t bits(const Rational& value) {
  return bits(BigInt(numerator(value))) + bits(BigInt(denominator(value)));
}

ExactValue value_of(Rational value) {
  if (bits(value) > kMostBits) return {Exactness::kTooBig};
  return {Exactness::kValue, std::move(value)};
}

bool is_integer(const Rational& value) { return denominator(value) == 1; }

// The number as an int, if it is whole and |value| ≤ most.
std::optional<int> small_integer(const Rational& value, int most) {
  if (!is_integer(value) || abs(value) > most) return std::nullopt;
  return static_cast<int>(numerator(value));
}

// The exact index-th root of a number ≥ 0, if it is whole. Newton's method from above.
std::optional<BigInt> exact_root(const BigInt& value, int index) {
  if (value <= 1) return value;
  BigInt guess = BigInt(1) << static_cast<unsigned>((bits(value) - 1) / index + 1);
  for (;;) {
    const BigInt power = pow(guess, static_cast<unsigned>(index - 1));
    BigInt next = ((index - 1) * guess + value / power) / index;
    if (next >= guess) break;
    guess = std::move(next);
  }
  return pow(guess, static_cast<unsigned>(index)) == value ? std::optional(guess) : std::nullopt;
}

class Evaluator {
 public:
  Evaluator(const ExactLookup& lookup, Steps& steps) : lookup_(lookup), steps_(steps) {}

  ExactValue evaluate(const Expr& expr) {
    if (!steps_.spend(1)) return {Exactness::kTooBig};
    switch (expr.kind) {
      case ExprKind::kNumber:
        return value_of(expr.value);
      case ExprKind::kVariable:
        return variable(expr.name);
      case ExprKind::kConstant:  // i may count the terms of a sum
        return is_bound(expr.name) ? variable(expr.name) : ExactValue{};
      case ExprKind::kSum:
      case ExprKind::kProduct:
        return folded(expr);
      case ExprKind::kNegative:
        return binary(number_expr(-1), expr.args[0], '*');
      case ExprKind::kQuotient:
        return binary(expr.args[0], expr.args[1], '/');
      case ExprKind::kPower:
        return power(evaluate(expr.args[0]), evaluate(expr.args[1]));
      case ExprKind::kRoot:
        return root(evaluate(expr.args[0]), evaluate(expr.args[1]));
      case ExprKind::kFactorial:
        return factorial(evaluate(expr.args[0]));
      case ExprKind::kFunction:
        return function(expr);
      case ExprKind::kQuantity:
        if (expr.name != "%") return {};
        return binary(expr.args[0], number_expr(100), '/');
      case ExprKind::kBased:
        return based(expr);
      case ExprKind::kOpaque:
        return opaque(expr);
      default:
        return {};
    }
  }

 private:
  struct Bound {
    std::string name;
    Rational value;
  };

  bool is_bound(const std::string& name) const {
    return std::any_of(bound_.begin(), bound_.end(),
                       [&](const Bound& bound) { return bound.name == name; });
  }

  ExactValue variable(const std::string& name) {
    for (auto bound = bound_.rbegin(); bound != bound_.rend(); ++bound)
      if (bound->name == name) return value_of(bound->value);
    const Rational* value = lookup_(name);
    return value == nullptr ? ExactValue{} : value_of(*value);
  }

  ExactValue binary(const Expr& left, const Expr& right, char op) {
    const ExactValue a = evaluate(left);
    if (a.state != Exactness::kValue) return a;
    const ExactValue b = evaluate(right);
    if (b.state != Exactness::kValue) return b;
    return combined(a.value, b.value, op);
  }

  // A fraction is reduced after each operation, which is what costs.
  ExactValue combined(const Rational& a, const Rational& b, char op) {
    const int64_t size = bits(a) + bits(b);
    if (!steps_.spend(size * size / 800000)) return {Exactness::kTooBig};
    if (op == '+') return value_of(a + b);
    if (op == '*') return value_of(a * b);
    if (b == 0) return {Exactness::kUndefined};
    return value_of(a / b);
  }

  ExactValue folded(const Expr& expr) {
    ExactValue result = evaluate(expr.args[0]);
    for (size_t i = 1; i < expr.args.size() && result.state == Exactness::kValue; ++i) {
      const ExactValue next = evaluate(expr.args[i]);
      if (next.state != Exactness::kValue) return next;
      result = combined(result.value, next.value, expr.kind == ExprKind::kSum ? '+' : '*');
    }
    return result;
  }

  ExactValue power(const ExactValue& base, const ExactValue& exponent) {
    if (base.state != Exactness::kValue) return base;
    if (exponent.state != Exactness::kValue) return exponent;
    const Rational &a = base.value, &n = exponent.value;
    if (a == 0) return n > 0 ? value_of(0) : ExactValue{Exactness::kUndefined};
    if (!is_integer(n)) {
      const auto index = small_integer(Rational(denominator(n)), 1000);
      if (!index) return {};
      const ExactValue rooted = root(base, value_of(*index));
      return power(rooted, value_of(Rational(numerator(n))));
    }
    if (a == 1) return value_of(1);
    if (a == -1) return value_of(numerator(n) % 2 == 0 ? 1 : -1);
    const auto count = small_integer(n, static_cast<int>(kMostBits));
    if (!count || bits(a) * std::abs(*count) > 2 * kMostBits) return {Exactness::kTooBig};
    const int64_t size = bits(a) * std::abs(*count);
    if (!steps_.spend(size * size / 100000)) return {Exactness::kTooBig};
    const auto times = static_cast<unsigned>(std::abs(*count));
    const BigInt top = pow(BigInt(numerator(a)), times),
                 bottom = pow(BigInt(denominator(a)), times);
    return value_of(*count > 0 ? Rational(top, bottom) : Rational(bottom, top));
  }

  ExactValue root(const ExactValue& base, const ExactValue& index) {
    if (base.state != Exactness::kValue) return base;
    if (index.state != Exactness::kValue) return index;
    const auto n = small_integer(index.value, 1000);
    if (!n || *n < 1 || bits(base.value) > kMostRootBits) return {};
    if (*n == 1) return base;
    const bool negative = base.value < 0;
    if (negative && *n % 2 == 0) return {};  // not real
    if (!steps_.spend(bits(base.value) * bits(base.value) / 2000 + 10)) return {Exactness::kTooBig};
    const auto top = exact_root(BigInt(abs(numerator(base.value))), *n);
    const auto bottom = top ? exact_root(BigInt(denominator(base.value)), *n) : std::nullopt;
    if (!bottom) return {};
    return value_of(Rational(negative ? BigInt(-*top) : *top, *bottom));
  }

  ExactValue factorial(const ExactValue& of) {
    if (of.state != Exactness::kValue) return of;
    const auto n = small_integer(of.value, kMostFactorial);
    if (!n)
      return {is_integer(of.value) && of.value > 0 ? Exactness::kTooBig : Exactness::kUndefined};
    if (*n < 0) return {Exactness::kUndefined};
    if (!steps_.spend(*n)) return {Exactness::kTooBig};
    return value_of(falling(*n, *n));
  }

  // n·(n−1)·… of `count` factors.
  static BigInt falling(int n, int count) {
    BigInt product = 1;
    for (int i = 0; i < count; ++i) product *= n - i;
    return product;
  }

  ExactValue function(const Expr& expr) {
    std::vector<Rational> args;
    for (const Expr& arg : expr.args) {
      const ExactValue value = evaluate(arg);
      if (value.state != Exactness::kValue) return value;
      args.push_back(value.value);
    }
    if (expr.name == "abs") return value_of(abs(args[0]));
    if (expr.name == "floor" || expr.name == "ceil") {
      BigInt whole = numerator(args[0]) / denominator(args[0]);  // towards zero
      if (expr.name == "floor" && args[0] < whole) --whole;
      if (expr.name == "ceil" && args[0] > whole) ++whole;
      return value_of(whole);
    }
    if (expr.name == "max") return value_of(*std::max_element(args.begin(), args.end()));
    if (expr.name == "min") return value_of(*std::min_element(args.begin(), args.end()));
    if (expr.name == "binom") return binomial(args[0], args[1]);
    if (expr.name == "gcd" || expr.name == "lcm") return divisors(expr.name, args);
    return {};
  }

  ExactValue binomial(const Rational& of, const Rational& chosen) {
    const auto n = small_integer(of, kMostFactorial), k = small_integer(chosen, kMostFactorial);
    if (!n || !k || *n < 0 || *k < 0) return {};
    if (*k > *n) return value_of(0);
    if (!steps_.spend(*n)) return {Exactness::kTooBig};
    const int few = std::min(*k, *n - *k);
    return value_of(falling(*n, few) / falling(few, few));
  }

  ExactValue divisors(const std::string& name, const std::vector<Rational>& args) {
    BigInt result = name == "gcd" ? 0 : 1;
    for (const Rational& arg : args) {
      if (!is_integer(arg)) return {Exactness::kUndefined};
      const int64_t size = bits(result) + bits(arg);
      if (size > kMostBits || !steps_.spend(size * size / 800000)) return {Exactness::kTooBig};
      const BigInt whole(numerator(arg));
      if (name == "lcm" && whole == 0) return value_of(0);
      result = name == "gcd" ? BigInt(gcd(result, whole)) : BigInt(lcm(result, whole));
    }
    return value_of(result);
  }

  ExactValue based(const Expr& expr) {
    const ExactValue base = evaluate(expr.args[0]);
    if (base.state != Exactness::kValue) return base;
    const auto value = based_value(expr.name, base.value);
    return value ? value_of(*value) : ExactValue{Exactness::kUndefined};
  }

  ExactValue opaque(const Expr& expr) {
    if (expr.name == "mod") {
      const ExactValue a = evaluate(expr.args[0]), n = evaluate(expr.args[1]);
      if (a.state != Exactness::kValue) return a;
      if (n.state != Exactness::kValue) return n;
      if (!is_integer(a.value) || !is_integer(n.value) || n.value <= 0) return {};
      const BigInt modulus(numerator(n.value));
      return value_of((numerator(a.value) % modulus + modulus) % modulus);
    }
    return expr.name == "sum_^" || expr.name == "prod_^" ? series(expr) : ExactValue{};
  }

  // \sum_{k=1}^{10} k^2 and the like.
  ExactValue series(const Expr& expr) {
    if (expr.args.size() != 3 || bound_.size() >= 3) return {};
    const Expr& start = expr.args[0];
    const bool counts =
        start.kind == ExprKind::kRelation && start.name == "=" &&
        (start.args[0].kind == ExprKind::kVariable || start.args[0].kind == ExprKind::kConstant);
    if (!counts) return {};
    const ExactValue first = evaluate(start.args[1]), last = evaluate(expr.args[1]);
    if (first.state != Exactness::kValue || last.state != Exactness::kValue) return {};
    if (!is_integer(first.value) || !is_integer(last.value)) return {};
    if (last.value - first.value > kMostTerms) return {Exactness::kTooBig};
    const char op = expr.name[0] == 's' ? '+' : '*';
    ExactValue result = value_of(op == '+' ? 0 : 1);
    bound_.push_back({start.args[0].name, first.value});
    for (; bound_.back().value <= last.value && result.state == Exactness::kValue;
         bound_.back().value += 1) {
      const ExactValue term = evaluate(expr.args[2]);
      result = term.state == Exactness::kValue ? combined(result.value, term.value, op) : term;
    }
    bound_.pop_back();
    return result;
  }

  const ExactLookup& lookup_;
  Steps& steps_;
  std::vector<Bound> bound_;
};

}  // namespace

std::optional<BigInt> based_value(std::string_view digits, const Rational& base) {
  const auto of = small_integer(base, 36);
  if (!of || *of < 2) return std::nullopt;
  BigInt value = 0;
  for (const char c : digits) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
    if (digit >= *of) return std::nullopt;
    value = value * *of + digit;
  }
  return value;
}

ExactValue evaluate_exactly(const Expr& expr, const ExactLookup& lookup, Steps& steps) {
  return Evaluator(lookup, steps).evaluate(expr);
}

}  // namespace ponder
