#include "judge/maths/parser.hpp"

#include <algorithm>

#include "judge/maths/parser_rules.hpp"
#include "judge/maths/words.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

bool is_currency(const MathToken& token) {
  return token.kind == MathTokenKind::kWord &&
         (token.text == "dollar" || token.text == "euro" || token.text == "pound");
}

bool is_integer_literal(const Expr& expr) {
  return expr.kind == ExprKind::kNumber && denominator(expr.value) == 1;
}

Expr product_of(std::vector<Expr> factors) {
  if (factors.size() == 1) return std::move(factors[0]);
  return make_expr(ExprKind::kProduct, std::move(factors));
}

// n = 2, 3, 4 as n = (2, 3, 4).
Expr with_list_on_the_right(Expr list) {
  Expr& first = list.args[0];
  const bool labelled = first.kind == ExprKind::kRelation && first.name == "=" &&
                        first.args[0].kind == ExprKind::kVariable;
  const bool others_plain =
      std::none_of(list.args.begin() + 1, list.args.end(),
                   [](const Expr& other) { return other.kind == ExprKind::kRelation; });
  if (!labelled || !others_plain) return list;
  Expr label = std::move(first.args[0]);
  list.args[0] = Expr(std::move(first.args[1]));
  std::vector<Expr> sides;
  sides.push_back(std::move(label));
  sides.push_back(std::move(list));
  return make_expr(ExprKind::kRelation, std::move(sides), "=");
}

}  // namespace

std::optional<ParsedMaths> MathParser::parse() {
  Expr expr = list();
  if (failed_ || !at_end()) return std::nullopt;
  return ParsedMaths{std::move(expr), matters_};
}

Expr MathParser::list() {
  const Deeper deeper(*this);
  std::vector<Expr> elements;
  elements.push_back(element());
  std::string name;
  while (take_separator(name)) elements.push_back(element());
  if (elements.size() == 1) return std::move(elements[0]);
  return with_list_on_the_right(make_expr(ExprKind::kList, std::move(elements), name));
}

// `name` becomes the word between the elements, "or" before "and".
bool MathParser::take_separator(std::string& name) {
  const bool comma = take(",") || take(";");
  const bool word_or = take("or"), word_and = take("and");
  if (word_or || (word_and && name.empty())) name = word_or ? "or" : "and";
  return word_or || word_and || comma;
}

Expr MathParser::element() {
  if (token().kind == MathTokenKind::kWord &&
      !(is_currency(token()) && token(1).kind == MathTokenKind::kNumber))
    return words();
  Expr expr = relation();
  if (token().kind != MathTokenKind::kWord) return expr;
  Expr& measured = expr.kind == ExprKind::kRelation ? expr.args.back() : expr;
  measured = make_expr(ExprKind::kQuantity, {Expr(std::move(measured))}, unit());
  return expr;
}

Expr MathParser::words() {
  Expr text{.kind = ExprKind::kText};
  for (; token().kind == MathTokenKind::kWord || token().kind == MathTokenKind::kLetter; ++at_)
    text.name += (text.name.empty() ? "" : " ") + token().text;
  return text;
}

// cm, cm^2, square cm, km/h, miles per hour: in one spelling.
std::string MathParser::unit() {
  std::string name, power;
  while (token().kind == MathTokenKind::kWord ||
         (is_symbol("/") && token(1).kind == MathTokenKind::kWord)) {
    std::string word = token().text;
    ++at_;
    if (word == "square" || word == "sq" || word == "cubic" || word == "cu") {
      power = word[0] == 's' ? "^2" : "^3";
      continue;
    }
    if (const Unit* known = find_unit(word))
      word = known->name;
    else if (word.size() > 3 && word.back() == 's')
      word.pop_back();
    if (word == "per") word = "/";
    if (word == "percent") word = "%";
    const bool glued = name.empty() || name.back() == '/' || word == "/";
    name += (glued ? "" : " ") + word;
    if (is_symbol("^")) {
      ++at_;
      const bool braces = take("{");
      if (token().kind != MathTokenKind::kNumber) fail();
      name += "^" + token().text;
      ++at_;
      if (braces) expect("}");
    }
  }
  return name + power;
}

Expr MathParser::relation() {
  struct Operator {
    std::string_view symbol;
    char name;
  };
  constexpr Operator kOperators[] = {{"=", '='},  {"<", '<'},  {">", '>'},      {"<=", 'l'},
                                     {">=", 'g'}, {"!=", 'n'}, {"approx", '~'}, {"equiv", 'c'}};
  std::vector<Expr> sides;
  std::string names;
  if (!is_symbol("approx"))
    sides.push_back(set_expr());  // "≈ 3" stands alone
  else
    ++at_, sides.push_back(set_expr());
  if (take("in")) {
    sides.push_back(set_expr());
    return make_expr(ExprKind::kMember, std::move(sides));
  }
  for (bool more = true; more;) {
    more = false;
    for (const Operator& one : kOperators) {
      if (!take(one.symbol)) continue;
      names += one.name;
      sides.push_back(set_expr());
      more = true;
      break;
    }
  }
  if (names == "c" || is_symbol("pmod") || (is_symbol("(") && is_symbol("mod", 1)))
    return congruence(std::move(sides));
  if (names.empty()) return std::move(sides[0]);
  return make_expr(ExprKind::kRelation, std::move(sides), names);
}

// a ≡ b (mod n), or only b (mod n).
Expr MathParser::congruence(std::vector<Expr> sides) {
  if (take("pmod")) {
    sides.push_back(macro_argument());
  } else if (take("(")) {
    expect("mod");
    sides.push_back(sum());
    expect(")");
  } else {
    return fail();
  }
  return make_expr(ExprKind::kOpaque, std::move(sides), "congruence");
}

Expr MathParser::set_expr() {
  Expr left = ratio();
  for (int joined = 0;;) {
    std::string name;
    for (const std::string_view symbol : {"union", "intersection", "minus"})
      if (take(symbol)) name = symbol;
    if (name.empty()) return left;
    if (++joined > kMostJoined) return fail();
    std::vector<Expr> sides;
    sides.push_back(std::move(left));
    sides.push_back(ratio());
    left = make_expr(ExprKind::kJoined, std::move(sides), name);
  }
}

Expr MathParser::ratio() {
  std::vector<Expr> parts;
  parts.push_back(sum());
  if (take("choose")) {
    parts.push_back(sum());
    return make_expr(ExprKind::kFunction, std::move(parts), "binom");
  }
  std::string name;
  while (!in_set_ && take(":")) {
    const MathToken& next = token();
    const bool minutes =
        next.kind == MathTokenKind::kNumber && next.text.size() == 2 && next.text[0] == '0';
    if (minutes) name = "time";
    parts.push_back(sum());
  }
  if (parts.size() == 1) return std::move(parts[0]);
  return make_expr(ExprKind::kRatio, std::move(parts), name);
}

Expr MathParser::sum() {
  std::vector<Expr> terms;
  terms.push_back(term());
  for (;;) {
    if (take("+")) {
      terms.push_back(term());
    } else if (take("-")) {
      terms.push_back(make_expr(ExprKind::kNegative, {term()}));
    } else if (is_symbol("+-") || is_symbol("-+")) {
      const std::string name = take("+-") ? "+" : "-";
      if (name == "-") ++at_;
      terms.push_back(make_expr(ExprKind::kPlusMinus, {term()}, name));
    } else {
      break;
    }
  }
  if (terms.size() == 1) return std::move(terms[0]);
  return make_expr(ExprKind::kSum, std::move(terms));
}

bool MathParser::starts_factor() const {
  switch (token().kind) {
    case MathTokenKind::kNumber:
    case MathTokenKind::kLetter:
    case MathTokenKind::kConstant:
    case MathTokenKind::kFunction:
      return true;
    case MathTokenKind::kSymbol:
      if (is_symbol("(")) return !is_symbol("mod", 1);
      return is_symbol("[") || is_symbol("{") || (is_symbol("|") && bars_ == 0 && !in_set_) ||
             is_symbol("lfloor") || is_symbol("lceil") || is_symbol("begin-matrix") ||
             is_symbol("begin-determinant");
    default:
      return false;
  }
}

Expr MathParser::term() {
  std::vector<Expr> factors;
  factors.push_back(unary());
  for (int nested = 0; !failed_;) {
    if ((is_symbol("/") || is_symbol("mod")) && ++nested > kMostJoined) return fail();
    if (take("*")) {
      factors.push_back(unary());
    } else if (is_symbol("/") && token(1).kind != MathTokenKind::kWord) {
      divide(factors);
    } else if (take("mod")) {
      std::vector<Expr> sides;
      sides.push_back(product_of(std::move(factors)));
      sides.push_back(unary());
      factors.clear();
      factors.push_back(make_expr(ExprKind::kOpaque, std::move(sides), "mod"));
    } else if (starts_factor()) {
      multiply(factors);
    } else {
      break;
    }
  }
  return product_of(std::move(factors));
}

void MathParser::multiply(std::vector<Expr>& factors) {
  const bool digits_meet = token().kind == MathTokenKind::kNumber && at_ > 0 &&
                           tokens_[at_ - 1].kind == MathTokenKind::kNumber;
  if (digits_meet) fail();
  factors.push_back(power());
}

// Behind a /, what a product without a sign belongs to is a matter of reading, but for 1/2 x.
void MathParser::divide(std::vector<Expr>& factors) {
  expect("/");
  std::vector<Expr> below;
  below.push_back(unary());
  if (starts_factor()) {
    const bool coefficient = factors.size() == 1 && is_integer_literal(factors[0]) &&
                             is_integer_literal(below[0]) && token().space_before;
    if (!coefficient) matters_.tight_products = true;
    while (!coefficient && reading_.tight_products && !failed_ && starts_factor()) multiply(below);
  }
  std::vector<Expr> sides;
  sides.push_back(product_of(std::move(factors)));
  sides.push_back(product_of(std::move(below)));
  factors.clear();
  factors.push_back(make_expr(ExprKind::kQuotient, std::move(sides)));
}

Expr MathParser::unary() {
  const Deeper deeper(*this);
  if (failed_) return {};
  if (take("-")) return make_expr(ExprKind::kNegative, {unary()});
  if (take("+")) return unary();
  if (!is_symbol("+-") && !is_symbol("-+")) return power();
  const std::string name = take("+-") ? "+" : "-";
  if (name == "-") ++at_;
  Expr inner = unary();
  if (contains_kind(inner, ExprKind::kPlusMinus)) return fail();  // which signs go together?
  return make_expr(ExprKind::kPlusMinus, {std::move(inner)}, name);
}

std::optional<ParsedMaths> parse_maths(std::string_view text, const MathReading& reading) {
  auto lexed = lex_maths(text, reading.group_digits);
  if (!lexed) return std::nullopt;
  return MathParser(std::move(*lexed), reading).parse();
}

std::string plain_words(std::string_view text) {
  std::string words;
  if (const auto lexed = lex_maths(text, true)) {
    for (const MathToken& token : lexed->tokens) {
      if (token.text.empty()) continue;
      words += (words.empty() ? "" : " ") + token.text;
    }
  } else {
    words = std::string(stripped(text));
  }
  for (char& c : words)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return words;
}

}  // namespace ponder
