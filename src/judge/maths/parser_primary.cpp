#include <algorithm>
#include <charconv>

#include "judge/maths/exact.hpp"
#include "judge/maths/parser_rules.hpp"

namespace ponder {
namespace {

constexpr size_t kMostDigits = 2000;
constexpr int kMostTenPower = 2000;

BigInt ten_to(size_t power) { return pow(BigInt(10), static_cast<unsigned>(power)); }

bool is_integer_literal(const Expr& expr) {
  return expr.kind == ExprKind::kNumber && denominator(expr.value) == 1 && expr.value >= 0;
}

bool is_digits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_word(const MathToken& token, MathTokenKind kind, std::string_view text) {
  return token.kind == kind && token.text == text;
}

bool is_small_integer(const Expr& expr, int value) {
  if (expr.kind == ExprKind::kNegative) return is_small_integer(expr.args[0], -value);
  return expr.kind == ExprKind::kNumber && expr.value == value;
}

std::string inverse_of(const std::string& name) {
  for (const std::string_view known : {"sin", "cos", "tan"})
    if (name == known) return "a" + name;
  return {};
}

}  // namespace

Expr MathParser::power() {
  const Deeper deeper(*this);
  Expr base = primary();
  for (int signs = 0;; ++signs) {
    if (failed_) return base;
    if (signs > kMostJoined) return fail();
    if (take("!")) {
      base = make_expr(ExprKind::kFactorial, {std::move(base)});
    } else if (take("%")) {
      base = make_expr(ExprKind::kQuantity, {std::move(base)}, "%");
    } else if (take("degree") || (is_symbol("^") && is_symbol("circ", 1) && (at_ += 2, true)) ||
               (is_symbol("^") && is_symbol("{", 1) && is_symbol("circ", 2) && is_symbol("}", 3) &&
                (at_ += 4, true))) {
      base = make_expr(ExprKind::kQuantity, {std::move(base)}, "degree");
    } else if (take("^")) {
      std::vector<Expr> sides;
      sides.push_back(std::move(base));
      sides.push_back(exponent());
      base = make_expr(ExprKind::kPower, std::move(sides));
    } else {
      return base;
    }
  }
}

Expr MathParser::exponent() {
  const Deeper deeper(*this);
  if (failed_) return {};
  if (take("-")) return make_expr(ExprKind::kNegative, {exponent()});
  if (take("+")) return exponent();
  Expr base = primary();
  if (!take("^")) return base;
  std::vector<Expr> sides;
  sides.push_back(std::move(base));
  sides.push_back(exponent());
  return make_expr(ExprKind::kPower, std::move(sides));
}

Expr MathParser::primary() {
  const Deeper deeper(*this);
  if (failed_) return {};
  switch (token().kind) {
    case MathTokenKind::kNumber:
    case MathTokenKind::kBased:
      return number();
    case MathTokenKind::kLetter:
      return letter();
    case MathTokenKind::kConstant:
      return {ExprKind::kConstant, tokens_[at_++].text, {}, {}};
    case MathTokenKind::kFunction:
      return function();
    case MathTokenKind::kWord: {  // $5
      const std::string currency = tokens_[at_++].text;
      if (token().kind != MathTokenKind::kNumber) return fail();
      return make_expr(ExprKind::kQuantity, {number()}, currency);
    }
    case MathTokenKind::kEnd:
      return fail();
    case MathTokenKind::kSymbol:
      break;
  }
  if (is_symbol("(") || is_symbol("[")) return bracketed();
  if (is_symbol("{")) return group();
  if (is_symbol("\\{")) return set_literal();
  if (is_symbol("|")) return absolute();
  if (is_symbol("lfloor") || is_symbol("lceil")) return rounded();
  if (is_symbol("begin-matrix") || is_symbol("begin-determinant")) return matrix();
  if (take("dots")) return {ExprKind::kDots, {}, {}, {}};
  return fail();
}

Expr MathParser::plain_number(const MathToken& token) {
  const std::string_view text = token.text;
  const size_t e = std::min(text.find('e'), text.size());
  const size_t point = std::min(text.find('.'), e);
  std::string digits(text.substr(0, point));
  const size_t places = point < e ? e - point - 1 : 0;
  if (places > 0) digits += text.substr(point + 1, places);
  if (digits.empty() || digits.size() + token.repeated.size() > kMostDigits) return fail();
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));  // 010 is not octal
  Rational value(BigInt(digits), ten_to(places));
  if (!token.repeated.empty()) {
    std::string again = token.repeated;
    again.erase(0, std::min(again.find_first_not_of('0'), again.size() - 1));
    value += Rational(BigInt(again), (ten_to(token.repeated.size()) - 1) * ten_to(places));
  }
  if (e < text.size()) {
    const bool negative = text[e + 1] == '-';
    const size_t start = e + 1 + (negative || text[e + 1] == '+' ? 1 : 0);
    int tens = 0;
    const auto read = std::from_chars(text.data() + start, text.data() + text.size(), tens);
    if (read.ec != std::errc() || tens > kMostTenPower) return fail();
    value = negative ? value / ten_to(tens) : value * ten_to(tens);
  }
  return number_expr(std::move(value));
}

Expr MathParser::number() {
  const MathToken first = tokens_[at_++];
  if (take("_")) {  // in another base
    std::vector<Expr> base;
    base.push_back(macro_argument());
    return make_expr(ExprKind::kBased, std::move(base), first.text);
  }
  if (first.kind != MathTokenKind::kNumber) return fail();
  Expr value = plain_number(first);
  const bool integer = is_digits(first.text);
  if (!integer || !first.repeated.empty()) return value;
  if (mixed_fraction(value)) return value;
  // 12 345 678
  std::string digits = first.text;
  while (digits.size() <= kMostDigits && first.text.size() <= 3 && first.text[0] != '0' &&
         token().kind == MathTokenKind::kNumber && token().space_before &&
         token().text.size() == 3 && is_digits(token().text)) {
    digits += tokens_[at_++].text;
    value = number_expr(Rational(BigInt(digits)));
  }
  return value;
}

// 3 1/2 and 3\frac{1}{2}: adds the fraction to `whole`.
bool MathParser::mixed_fraction(Expr& whole) {
  Expr fraction;
  if (token().kind == MathTokenKind::kNumber && token().space_before && is_symbol("/", 1) &&
      token(2).kind == MathTokenKind::kNumber) {
    std::vector<Expr> sides;
    sides.push_back(plain_number(tokens_[at_]));
    sides.push_back(plain_number(tokens_[at_ + 2]));
    fraction = make_expr(ExprKind::kQuotient, std::move(sides));
    at_ += failed_ ? 0 : 3;
  } else if (is_word(token(), MathTokenKind::kFunction, "frac")) {
    fraction = function();
  } else {
    return false;
  }
  if (failed_) return true;
  const bool mixed = is_integer_literal(fraction.args[0]) && is_integer_literal(fraction.args[1]) &&
                     fraction.args[0].value < fraction.args[1].value;
  std::vector<Expr> parts;
  parts.push_back(std::move(whole));
  parts.push_back(std::move(fraction));
  whole = make_expr(mixed ? ExprKind::kSum : ExprKind::kProduct, std::move(parts));
  return true;
}

Expr MathParser::letter() {
  Expr variable{ExprKind::kVariable, tokens_[at_++].text, {}, {}};
  if (take("_")) {
    const Expr index = macro_argument();
    if (index.kind == ExprKind::kNumber)
      variable.name += "_" + index.value.str();
    else if (index.kind == ExprKind::kVariable || index.kind == ExprKind::kText)
      variable.name += "_" + index.name;
    else
      variable = make_expr(ExprKind::kOpaque, {index}, variable.name + "_");
  }
  while (take("'")) variable.name += "'";
  const bool function_name =
      variable.name[0] == 'f' || variable.name[0] == 'g' || variable.name[0] == 'h';
  if (!function_name || !is_symbol("(")) return variable;
  return make_expr(ExprKind::kOpaque, {bracketed()}, "call " + variable.name);
}

Expr MathParser::bracketed() {
  const Deeper deeper(*this);
  const std::string open = tokens_[at_++].text;
  const int bars = std::exchange(bars_, 0);
  const bool in_set = std::exchange(in_set_, false);
  Expr inner;
  const bool empty = is_symbol(")") || is_symbol("]");
  if (!empty) inner = list();
  bars_ = bars, in_set_ = in_set;
  if (!is_symbol(")") && !is_symbol("]")) return fail();
  const std::string close = tokens_[at_++].text;
  const bool match = (open == "(") == (close == ")");
  if (empty) return match ? make_expr(ExprKind::kTuple, {}, open + close) : fail();
  if (inner.kind == ExprKind::kList && !inner.grouped)
    return make_expr(ExprKind::kTuple, std::move(inner.args), open + close);
  if (!match) return fail();
  inner.grouped = true;
  return inner;
}

// {…}: a group of LaTeX, or a set without its backslashes.
Expr MathParser::group() {
  const Deeper deeper(*this);
  expect("{");
  if (failed_) return {};
  Expr inner = list();
  if (is_symbol("mid") || is_symbol("|") || is_symbol(":")) return such_that(std::move(inner), "}");
  expect("}");
  if (inner.kind == ExprKind::kList && !inner.grouped)
    return make_expr(ExprKind::kSet, std::move(inner.args));
  return inner;
}

Expr MathParser::such_that(Expr element, std::string_view close) {
  ++at_;
  std::vector<Expr> sides;
  sides.push_back(std::move(element));
  sides.push_back(list());
  expect(close);
  return make_expr(ExprKind::kSuchThat, std::move(sides));
}

Expr MathParser::set_literal() {
  const Deeper deeper(*this);
  expect("\\{");
  if (take("\\}")) return {ExprKind::kConstant, "empty", {}, {}};
  const bool in_set = std::exchange(in_set_, true);
  const int bars = std::exchange(bars_, 0);
  Expr inner = list();
  in_set_ = in_set, bars_ = bars;
  if (is_symbol("mid") || is_symbol("|") || is_symbol(":"))
    return such_that(std::move(inner), "\\}");
  expect("\\}");
  if (inner.kind == ExprKind::kList && !inner.grouped)
    return make_expr(ExprKind::kSet, std::move(inner.args));
  return make_expr(ExprKind::kSet, {std::move(inner)});
}

Expr MathParser::absolute() {
  const Deeper deeper(*this);
  expect("|");
  ++bars_;
  Expr inner = sum();
  --bars_;
  expect("|");
  return make_expr(ExprKind::kFunction, {std::move(inner)}, "abs");
}

Expr MathParser::rounded() {
  const bool down = tokens_[at_++].text == "lfloor";
  Expr inner = sum();
  expect(down ? "rfloor" : "rceil");
  return make_expr(ExprKind::kFunction, {std::move(inner)}, down ? "floor" : "ceil");
}

Expr MathParser::matrix() {
  const Deeper deeper(*this);
  const bool determinant = tokens_[at_++].text == "begin-determinant";
  const std::string_view end = determinant ? "end-determinant" : "end-matrix";
  std::vector<Expr> cells;
  size_t columns = 0, in_row = 0;
  for (;;) {
    cells.push_back(relation());
    if (failed_) return {};
    ++in_row;
    if (take("&")) continue;
    if (columns == 0) columns = in_row;
    if (in_row != columns) return fail();
    in_row = 0;
    if (take(end)) break;
    expect("\\\\");
    if (take(end)) break;
  }
  return make_expr(determinant ? ExprKind::kOpaque : ExprKind::kMatrix, std::move(cells),
                   (determinant ? "determinant " : "") + std::to_string(columns));
}

// The argument of a command: a group, one digit, or one sign.
Expr MathParser::macro_argument() {
  const Deeper deeper(*this);
  if (failed_) return {};
  if (is_symbol("{")) return group();
  MathToken& next = tokens_[at_];
  if (next.kind == MathTokenKind::kNumber && next.text.size() > 1 && next.text[0] != '.') {
    const MathToken digit{MathTokenKind::kNumber, next.text.substr(0, 1), false, {}};
    next.text.erase(0, 1);
    return next.text[0] == '.' || next.text[0] == 'e' ? fail() : plain_number(digit);
  }
  if (next.kind == MathTokenKind::kNumber) return plain_number(tokens_[at_++]);
  if (next.kind == MathTokenKind::kLetter)
    return {ExprKind::kVariable, tokens_[at_++].text, {}, {}};
  if (next.kind == MathTokenKind::kConstant) return primary();
  if (next.kind == MathTokenKind::kWord) return words();
  return next.kind == MathTokenKind::kFunction ? function() : fail();
}

Expr MathParser::function() {
  const Deeper deeper(*this);
  if (failed_) return {};
  const std::string name = tokens_[at_++].text;
  if (name == "frac" || name == "binom") {
    std::vector<Expr> sides;
    sides.push_back(macro_argument());
    sides.push_back(macro_argument());
    return make_expr(name == "frac" ? ExprKind::kQuotient : ExprKind::kFunction, std::move(sides),
                     name == "frac" ? "" : name);
  }
  if (name == "sqrt") return root(2);
  if (name == "cbrt") return root(3);
  if (name.starts_with("opaque ")) return big_operator(name.substr(7));
  if (name.starts_with("mark "))
    return make_expr(ExprKind::kOpaque, {macro_argument()}, name.substr(5));
  for (const std::string_view called_name : {"abs", "floor", "ceil", "gcd", "lcm", "max", "min"})
    if (name == called_name) return called(name);
  return applied(name);
}

Expr MathParser::called(const std::string& name) {
  if (!is_symbol("(")) return fail();
  Expr inner = bracketed();
  std::vector<Expr> args;
  if (inner.kind == ExprKind::kTuple && !inner.grouped)
    args = std::move(inner.args);
  else
    args.push_back(std::move(inner));
  return make_expr(ExprKind::kFunction, std::move(args), name);
}

Expr MathParser::root(int index) {
  std::vector<Expr> sides(2);
  sides[1] = number_expr(index);
  if (index == 2 && take("[")) {
    sides[1] = sum();
    expect("]");
  }
  if (is_symbol("(")) {
    sides[0] = bracketed();
  } else if (token().kind == MathTokenKind::kNumber) {
    sides[0] = plain_number(tokens_[at_++]);
  } else {
    sides[0] = macro_argument();
  }
  return make_expr(ExprKind::kRoot, std::move(sides));
}

// Sums, integrals, limits: known by their form alone.
Expr MathParser::big_operator(const std::string& name) {
  std::vector<Expr> parts;
  std::string form = name;
  for (int i = 0; i < 2; ++i) {
    if (!is_symbol("_") && !is_symbol("^")) break;
    form += tokens_[at_++].text;
    if (is_symbol("{")) {
      expect("{");
      parts.push_back(list());
      if (token().kind == MathTokenKind::kWord) ++at_, parts.push_back(sum());  // x → 0
      expect("}");
    } else {
      parts.push_back(macro_argument());
    }
  }
  if (starts_factor()) parts.push_back(term());
  return make_expr(ExprKind::kOpaque, std::move(parts), form);
}

// sin^2 x, log_2 8, ln x.
Expr MathParser::applied(const std::string& name) {
  std::vector<Expr> args(1);
  std::string function = name;
  if (name == "log" && take("_")) {
    args.push_back(macro_argument());
  } else if (name == "log") {
    matters_.natural_log = true;
    if (reading_.natural_log)
      function = "ln";
    else
      args.push_back(number_expr(10));
  }
  std::optional<Expr> raised;
  if (take("^")) {
    raised = is_symbol("{") ? group() : exponent();
    if (is_small_integer(*raised, -1) && !inverse_of(name).empty()) {
      function = inverse_of(name);
      raised.reset();
    }
  }
  args[0] = argument();
  Expr result = make_expr(ExprKind::kFunction, std::move(args), function);
  if (!raised) return result;
  std::vector<Expr> sides;
  sides.push_back(std::move(result));
  sides.push_back(std::move(*raised));
  return make_expr(ExprKind::kPower, std::move(sides));
}

// Of a function: what is in brackets, or the product that follows, up to the next function.
Expr MathParser::argument() {
  const Deeper deeper(*this);
  if (failed_) return {};
  if (is_symbol("(")) return bracketed();
  if (token().kind == MathTokenKind::kFunction &&
      (token().text == "frac" || token().text == "sqrt" || token().text == "cbrt"))
    return power();
  if (take("-")) return make_expr(ExprKind::kNegative, {argument()});
  std::vector<Expr> factors;
  factors.push_back(power());
  while (!failed_ && starts_factor() && !is_symbol("(") && !is_symbol("[") &&
         token().kind != MathTokenKind::kFunction)
    multiply(factors);
  if (factors.size() == 1) return std::move(factors[0]);
  return make_expr(ExprKind::kProduct, std::move(factors));
}

}  // namespace ponder
