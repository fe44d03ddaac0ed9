// Numbers between bounds, digit by digit, as parts of a grammar.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/grammar/grammar.hpp"

namespace ponder {

// Exact; zero is not negative.
struct Decimal {
  bool negative = false;
  std::string whole = "0";    // without zeros in front
  std::string fraction = {};  // without zeros behind
};

// A number as JSON writes it. Nothing if it needs more than 18 digits on one side of the point.
std::optional<Decimal> read_decimal(std::string_view text);

struct NumberBounds {
  std::optional<Decimal> low = {}, high = {};
  bool without_low = false, without_high = false;  // the bound itself is out of range
  bool integer = false;
  int64_t multiple = 1;  // of integers: 1 to kMostMultiple, and zeros behind that
};
constexpr int64_t kMostMultiple = 128;

// Without exponents; with as many digits as the bounds have, but 15 at least on the side of an open
// bound, and 6 behind the point.
NodeId add_number_range(Grammar& grammar, const NumberBounds& bounds);

}  // namespace ponder
