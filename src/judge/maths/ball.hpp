// Complex numbers of 1024 bits with a bound on their error, so that "different" is a proof and
// "the same to 450 bits" hardly leaves a doubt. What leaves the range from 2^-250 to 2^250 gives
// nothing instead: there such a doubt would be a real one.
#pragma once

#include <boost/multiprecision/cpp_bin_float.hpp>
#include <limits>
#include <optional>

#include "judge/maths/expression.hpp"

namespace ponder {

using Float = boost::multiprecision::number<
    boost::multiprecision::cpp_bin_float<1024, boost::multiprecision::digit_base_2, void, int32_t,
                                         -1000000, 1000000>,
    boost::multiprecision::et_off>;

constexpr double kExactly = -std::numeric_limits<double>::infinity();

struct Ball {
  Float re = 0, im = 0;
  double error = kExactly;  // log2 of a bound on |true value − value|
  bool real = true;         // im is 0, exactly
};

enum class Sign { kNegative, kZero, kPositive, kUnknown };

// kZero: to 450 bits. Only of real balls; kUnknown else.
Sign sign_of(const Ball& a);
// Surely not 0; kUnknown of zero_test is neither.
enum class ZeroTest { kZero, kNonzero, kUnknown };
ZeroTest zero_test(const Ball& a);

// Each gives nothing where it is not defined, where it cannot tell, and out of range. Functions
// other than exp take real arguments only. `complex`: roots of negative numbers exist.
using MaybeBall = std::optional<Ball>;
MaybeBall ball_of(const Rational& value);
Ball ball_pi();
MaybeBall ball_add(const Ball& a, const Ball& b);
MaybeBall ball_negate(const Ball& a);
MaybeBall ball_multiply(const Ball& a, const Ball& b);
MaybeBall ball_divide(const Ball& a, const Ball& b);
MaybeBall ball_integer_power(const Ball& a, long exponent);
MaybeBall ball_root(const Ball& a, long index, bool complex);
MaybeBall ball_exp(const Ball& a);
MaybeBall ball_log(const Ball& a);
MaybeBall ball_abs(const Ball& a);
// sin, cos, tan, cot, sec, csc, asin, acos, atan, sinh, cosh, tanh.
MaybeBall ball_function(std::string_view name, const Ball& a);

}  // namespace ponder
