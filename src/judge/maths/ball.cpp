#include "judge/maths/ball.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace ponder {
namespace {

constexpr double kRounding = -980;  // of one operation, relative, with much to spare
constexpr double kRange = 250, kSame = -450;

// log2 of the sum of two numbers that are given as log2, or a little more.
double log_add(double a, double b) { return std::max(a, b) + 1; }

// |x| is from 2^low to 2^(low+1).
double low(const Float& x) {
  return x == 0 ? kExactly : static_cast<double>(x.backend().exponent());
}
double low(const Ball& a) { return std::max(low(a.re), low(a.im)); }
double high(const Ball& a) { return low(a) + 1.5; }

bool contains_zero(const Ball& a) { return low(a) <= a.error + 1; }

// Adds the rounding error of an operation, and refuses what is out of range.
MaybeBall checked(Ball a) {
  using boost::multiprecision::isfinite;
  if (!isfinite(a.re) || !isfinite(a.im)) return std::nullopt;
  if (low(a) != kExactly) a.error = log_add(a.error, high(a) + kRounding);
  const bool in_range = high(a) <= kRange && (low(a) >= -kRange || contains_zero(a));
  if (!in_range || a.error > 0) return std::nullopt;
  return a;
}

MaybeBall real_ball(Float value, double error) {
  return checked({std::move(value), 0, error, true});
}

}  // namespace

ZeroTest zero_test(const Ball& a) {
  if (!contains_zero(a)) return ZeroTest::kNonzero;
  return a.error < kSame || low(a) == kExactly ? ZeroTest::kZero : ZeroTest::kUnknown;
}

Sign sign_of(const Ball& a) {
  if (!a.real) return Sign::kUnknown;
  const ZeroTest zero = zero_test(a);
  if (zero != ZeroTest::kNonzero) return zero == ZeroTest::kZero ? Sign::kZero : Sign::kUnknown;
  return a.re < 0 ? Sign::kNegative : Sign::kPositive;
}

MaybeBall ball_of(const Rational& value) {
  return checked({Float(numerator(value)) / Float(denominator(value)), 0, kExactly, true});
}

Ball ball_pi() {
  static const Float pi = 4 * atan(Float(1));
  return {pi, 0, kRounding + 4, true};
}

MaybeBall ball_add(const Ball& a, const Ball& b) {
  double error = log_add(a.error, b.error);
  error = log_add(error, std::max(high(a), high(b)) + kRounding);  // before what cancels
  return checked({a.re + b.re, a.im + b.im, error, a.real && b.real});
}

MaybeBall ball_negate(const Ball& a) { return Ball{-a.re, -a.im, a.error, a.real}; }

MaybeBall ball_multiply(const Ball& a, const Ball& b) {
  const double error = log_add(log_add(high(a) + b.error, high(b) + a.error),
                               log_add(a.error + b.error, high(a) + high(b) + kRounding));
  if (a.real && b.real) return checked({a.re * b.re, 0, error, true});
  return checked({a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re, error, false});
}

MaybeBall ball_divide(const Ball& a, const Ball& b) {
  if (contains_zero(b)) return std::nullopt;
  // |1/(b+δ) − 1/b| ≤ 2|δ|/|b|²
  Ball inverse;
  if (b.real) {
    inverse = {1 / b.re, 0, b.error - 2 * low(b) + 1, true};
  } else {
    const Float square = b.re * b.re + b.im * b.im;
    inverse = {b.re / square, -b.im / square, b.error - 2 * low(b) + 2, false};
  }
  const MaybeBall inverted = checked(std::move(inverse));
  return inverted ? ball_multiply(a, *inverted) : std::nullopt;
}

MaybeBall ball_integer_power(const Ball& a, long exponent) {
  constexpr long kMostExponent = 10000;
  if (std::abs(exponent) > kMostExponent) return std::nullopt;
  if (exponent < 0) {
    const MaybeBall inverse = ball_divide({1, 0, kExactly, true}, a);
    return inverse ? ball_integer_power(*inverse, -exponent) : std::nullopt;
  }
  if (exponent == 0 && contains_zero(a)) return std::nullopt;
  MaybeBall result = Ball{1, 0, kExactly, true}, square = a;
  for (; exponent > 0 && result; exponent /= 2) {
    if (!square) return std::nullopt;
    if (exponent % 2 == 1) result = ball_multiply(*result, *square);
    if (exponent > 1) square = ball_multiply(*square, *square);
  }
  return result;
}

namespace {

// The principal root of a number that is not real.
MaybeBall complex_square_root(const Ball& a) {
  if (contains_zero(a) || (a.re < 0 && low(a.im) <= a.error + 1)) return std::nullopt;
  const Float length = sqrt(a.re * a.re + a.im * a.im);
  // The larger part first: the other one, from it, loses no digits.
  Float re, im;
  if (a.re >= 0) {
    re = sqrt((length + a.re) / 2);
    im = a.im / (2 * re);
  } else {
    im = sqrt((length - a.re) / 2);
    if (a.im < 0) im = -im;
    re = a.im / (2 * im);
  }
  return checked({re, im, a.error - low(a) / 2 + 2, false});
}

}  // namespace

MaybeBall ball_root(const Ball& a, long index, bool complex) {
  if (index < 2 || index > 1000) return std::nullopt;
  if (!a.real) return index == 2 ? complex_square_root(a) : std::nullopt;
  if (contains_zero(a)) {
    const double most = std::max(a.error, low(a)) + 2;
    return real_ball(0, most == kExactly ? kExactly : most / static_cast<double>(index) + 1);
  }
  if (a.re < 0) {
    if (index % 2 == 1) {
      const MaybeBall root = ball_root({-a.re, 0, a.error, true}, index, complex);
      return root ? ball_negate(*root) : std::nullopt;
    }
    if (!complex || index != 2) return std::nullopt;
    return checked({0, sqrt(-a.re), a.error - low(a) / 2 + 2, false});
  }
  const Float root = index == 2 ? sqrt(a.re) : exp(log(a.re) / index);
  // The relative error of a root is less than that of its number.
  return real_ball(root, a.error - low(a) + low(root) + 2);
}

MaybeBall ball_exp(const Ball& a) {
  if (high(a) > 9 || a.error > -10) return std::nullopt;
  const Float length = exp(a.re);
  const double error = low(length) + 1 + a.error + 2;
  if (a.real) return real_ball(length, error);
  return checked({length * cos(a.im), length * sin(a.im), error, false});
}

MaybeBall ball_log(const Ball& a) {
  if (!a.real || contains_zero(a) || a.re < 0) return std::nullopt;
  return real_ball(log(a.re), log_add(a.error - low(a) + 1, kRounding));
}

MaybeBall ball_abs(const Ball& a) {
  if (a.real) return Ball{abs(a.re), 0, a.error, true};
  return checked({sqrt(a.re * a.re + a.im * a.im), 0, a.error + 1, true});
}

MaybeBall ball_function(std::string_view name, const Ball& a) {
  constexpr double kMostAngle = 40;
  if (!a.real || high(a) > kMostAngle) return std::nullopt;
  const double shift = log_add(a.error, std::max(0.0, high(a)) + kRounding);  // of the argument
  if (name == "sin") return real_ball(sin(a.re), shift);
  if (name == "cos") return real_ball(cos(a.re), shift);
  if (name == "atan") return real_ball(atan(a.re), shift);
  if (name == "asin" || name == "acos") {
    // |asin(x+δ) − asin(x)| ≤ 2·√|δ|, also where its slope is without bound.
    const Float length = abs(a.re);
    if (length > 1 && low(Float(length - 1)) > a.error) return std::nullopt;
    const Float inside = length > 1 ? Float(a.re < 0 ? -1 : 1) : a.re;
    return real_ball(name == "asin" ? asin(inside) : acos(inside), shift / 2 + 3);
  }
  if (name == "tan" || name == "cot" || name == "sec" || name == "csc") {
    const MaybeBall sine = ball_function("sin", a), cosine = ball_function("cos", a);
    const Ball one{1, 0, kExactly, true};
    if (!sine || !cosine) return std::nullopt;
    if (name == "tan") return ball_divide(*sine, *cosine);
    if (name == "cot") return ball_divide(*cosine, *sine);
    return ball_divide(one, name == "sec" ? *cosine : *sine);
  }
  const MaybeBall up = ball_exp(a), down = ball_exp({-a.re, 0, a.error, true});
  if (!up || !down) return std::nullopt;
  const MaybeBall sum = ball_add(*up, *down), difference = ball_add(*up, *ball_negate(*down));
  const Ball half{0.5, 0, kExactly, true};
  if (!sum || !difference) return std::nullopt;
  if (name == "sinh") return ball_multiply(*difference, half);
  if (name == "cosh") return ball_multiply(*sum, half);
  if (name == "tanh") return ball_divide(*difference, *sum);
  return std::nullopt;
}

}  // namespace ponder
