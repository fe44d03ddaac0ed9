#include "text/grammar/number_range.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

namespace ponder {
namespace {

constexpr size_t kMostDigits = 18, kOpenDigits = 15, kFractionDigits = 6;

// The numbers from `low` to `high`, both not negative.
struct Span {
  Decimal low, high;
  bool without_low = false, without_high = false;
};

// A state is how many digits are left before the point, the remainder of those read, and whether
// they are still those of a bound.
class DigitRules {
 public:
  DigitRules(Grammar& grammar, const Span& span, const NumberBounds& bounds)
      : grammar_(grammar), span_(span), multiple_(bounds.multiple) {
    for (; multiple_ % 10 == 0; multiple_ /= 10) ++zeros_;
    if (!bounds.integer)
      places_ = std::max({kFractionDigits, span.low.fraction.size(), span.high.fraction.size()});
  }

  NodeId run() {
    std::vector<NodeId> ways;
    const size_t shortest = span_.low.whole.size(), longest = span_.high.whole.size();
    for (size_t length = shortest; length <= longest; ++length)
      ways.push_back(from({.left = static_cast<int>(length),
                           .first = true,
                           .at_low = length == shortest,
                           .at_high = length == longest}));
    return grammar_.any_of(std::move(ways));
  }

 private:
  struct State {
    int left = 0;  // below 0: so many are behind the point
    int64_t remainder = 0;
    bool first = false, at_low = false, at_high = false;
    auto operator<=>(const State&) const = default;
  };

  static char digit_of(const Decimal& bound, int left) {
    if (left > 0) return bound.whole[bound.whole.size() - static_cast<size_t>(left)];
    const auto place = static_cast<size_t>(-left);
    return place < bound.fraction.size() ? bound.fraction[place] : '0';
  }
  static bool is_rest_zero(const Decimal& bound, int left) {
    return static_cast<size_t>(-left) >= bound.fraction.size();
  }

  bool may_end(const State& state) const {
    if (state.left > 0 || state.remainder != 0) return false;
    if (state.at_low && (!is_rest_zero(span_.low, state.left) || span_.without_low)) return false;
    return !(state.at_high && is_rest_zero(span_.high, state.left) && span_.without_high);
  }

  NodeId from(const State& state) {
    const auto found = known_.find(state);
    if (found != known_.end()) return grammar_.call(found->second);
    const RuleId rule = grammar_.rule({});
    known_[state] = rule;
    std::vector<NodeId> ways;
    if (may_end(state)) ways.push_back(grammar_.empty());
    if (state.left > -static_cast<int>(places_)) {
      const NodeId digits = digit_ways(state);
      ways.push_back(state.left == 0 ? grammar_.sequence({grammar_.text("."), digits}) : digits);
    }
    grammar_.define(rule, grammar_.any_of(std::move(ways)));
    return grammar_.call(rule);
  }

  NodeId digit_ways(const State& state) {
    const bool must_be_zero = state.left > 0 && state.left <= zeros_;
    if (must_be_zero && state.remainder != 0) return grammar_.any_of({});
    const int least = state.at_low ? digit_of(span_.low, state.left) - '0' : -1;
    const int most = state.at_high ? digit_of(span_.high, state.left) - '0' : 10;
    const int low = std::max(least, state.first && state.left > 1 ? 1 : 0);
    const int high = std::min(most, must_be_zero ? 0 : 9);
    std::map<State, CharSet> behind;  // digits that lead to the same state go together
    for (int digit = low; digit <= high; ++digit) {
      const int64_t remainder =
          state.left > 0 ? (state.remainder * 10 + digit) % multiple_ : state.remainder;
      const auto code = static_cast<uint32_t>('0' + digit);
      behind[{.left = state.left - 1,
              .remainder = remainder,
              .at_low = digit == least,
              .at_high = digit == most}]
          .add(code, code);
    }
    std::vector<NodeId> ways;
    for (const auto& [next, digits] : behind)
      ways.push_back(grammar_.sequence({grammar_.chars(digits), from(next)}));
    return grammar_.any_of(std::move(ways));
  }

  Grammar& grammar_;
  const Span& span_;
  int64_t multiple_;
  int zeros_ = 0;      // that an integer ends with
  size_t places_ = 0;  // digits behind the point
  std::map<State, RuleId> known_;
};

// The largest number without a bound; with its digits a bound that is larger still has room.
Decimal open_end(const Decimal& other) {
  return {.whole = std::string(std::max(kOpenDigits, other.whole.size()), '9')};
}

}  // namespace

std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal decimal;
  if (text.starts_with('-')) {
    decimal.negative = true;
    text.remove_prefix(1);
  }
  std::string digits;
  int64_t point = 0;
  const size_t mark = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, mark);
  const size_t dot = std::min(mantissa.find('.'), mantissa.size());
  digits = std::string(mantissa.substr(0, dot));
  point = static_cast<int64_t>(digits.size());
  if (dot < mantissa.size()) digits += mantissa.substr(dot + 1);
  if (mark != std::string_view::npos) {
    std::string_view exponent = text.substr(mark + 1);
    const bool down = exponent.starts_with('-');
    if (down || exponent.starts_with('+')) exponent.remove_prefix(1);
    int64_t value = 0;
    for (const char c : exponent) value = std::min<int64_t>(1000, value * 10 + (c - '0'));
    point += down ? -value : value;
  }
  if (digits.find_first_not_of('0') == std::string::npos) return Decimal{};
  if (point > static_cast<int64_t>(digits.size())) digits.append(point - digits.size(), '0');
  if (point < 0) {
    digits.insert(0, static_cast<size_t>(-point), '0');
    point = 0;
  }
  decimal.whole = digits.substr(0, static_cast<size_t>(point));
  decimal.fraction = digits.substr(static_cast<size_t>(point));
  decimal.whole.erase(0, std::min(decimal.whole.find_first_not_of('0'), decimal.whole.size()));
  if (decimal.whole.empty()) decimal.whole.push_back('0');
  decimal.fraction.erase(decimal.fraction.find_last_not_of('0') + 1);
  if (decimal.whole.size() > kMostDigits || decimal.fraction.size() > kMostDigits) return {};
  return decimal;
}

NodeId add_number_range(Grammar& grammar, const NumberBounds& bounds) {
  std::vector<NodeId> ways;
  if (!bounds.high || !bounds.high->negative) {
    Span span;
    if (bounds.low && !bounds.low->negative) {
      span.low = *bounds.low;
      span.without_low = bounds.without_low;
    }
    span.high = bounds.high ? *bounds.high : open_end(span.low);
    span.without_high = bounds.high && bounds.without_high;
    ways.push_back(DigitRules(grammar, span, bounds).run());
  }
  if (!bounds.low || bounds.low->negative) {
    Span span;
    span.without_low = true;  // there is no minus zero
    if (bounds.high && bounds.high->negative) {
      span.low = *bounds.high;
      span.without_low = bounds.without_high;
    }
    span.high = bounds.low ? *bounds.low : open_end(span.low);
    span.without_high = bounds.low && bounds.without_low;
    ways.push_back(grammar.sequence({grammar.text("-"), DigitRules(grammar, span, bounds).run()}));
  }
  return grammar.any_of(std::move(ways));
}

}  // namespace ponder
