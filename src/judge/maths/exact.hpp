// Exact arithmetic on fractions of at most 65536 bits.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "judge/maths/expression.hpp"

namespace ponder {

// What a comparison may still cost. One step is about a microsecond.
class Steps {
 public:
  explicit Steps(int64_t steps) : left_(steps) {}
  bool spend(int64_t steps) {
    left_ -= steps;
    return left_ >= 0;
  }
  bool spent() const { return left_ < 0; }

 private:
  int64_t left_;
};

enum class Exactness {
  kValue,
  kIrrational,  // not a fraction, or not known to be one
  kUndefined,   // division by zero and the like
  kTooBig       // out of bits or steps
};

struct ExactValue {
  Exactness state = Exactness::kIrrational;
  Rational value = {};
};

// Values of variables; nullptr if one has none that is exact.
using ExactLookup = std::function<const Rational*(const std::string&)>;

ExactValue evaluate_exactly(const Expr& expr, const ExactLookup& lookup, Steps& steps);

// `digits` (0-9, A-Z) in a base from 2 to 36.
std::optional<BigInt> based_value(std::string_view digits, const Rational& base);

}  // namespace ponder
