#include "judge/maths/shapes.hpp"

#include <algorithm>
#include <array>

#include "judge/maths/words.hpp"

namespace ponder {
namespace {

// With each ± as + or −, and each ∓ as the other.
Expr with_sign(Expr expr, bool plus) {
  for (Expr& arg : expr.args) arg = with_sign(std::move(arg), plus);
  if (expr.kind != ExprKind::kPlusMinus) return expr;
  const bool positive = (expr.name == "+") == plus;
  Expr inner = std::move(expr.args[0]);
  return positive ? inner : make_expr(ExprKind::kNegative, {std::move(inner)});
}

bool is_collection(const Expr& expr) {
  return expr.kind == ExprKind::kList || expr.kind == ExprKind::kSet;
}

}  // namespace

Expr without_plus_minus(Expr expr) {
  if (!contains_kind(expr, ExprKind::kPlusMinus)) return expr;
  if (!is_collection(expr)) {
    Expr plus = with_sign(expr, true);
    return make_expr(ExprKind::kList, {std::move(plus), with_sign(std::move(expr), false)});
  }
  std::vector<Expr> elements;
  for (Expr& arg : expr.args) {
    const bool two = contains_kind(arg, ExprKind::kPlusMinus);
    Expr plain = without_plus_minus(std::move(arg));
    if (two && plain.kind == ExprKind::kList)
      std::move(plain.args.begin(), plain.args.end(), std::back_inserter(elements));
    else
      elements.push_back(std::move(plain));
  }
  expr.args = std::move(elements);
  return expr;
}

std::vector<std::string> content_words(const std::string& text) {
  std::vector<std::string> words;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    std::string word = text.substr(start, end - start);
    start = end + 1;
    const bool filler = word.empty() || word == "the" || word == "a" || word == "an" ||
                        word == "." || word == "is" || word == "are" || word == "there";
    if (filler) continue;
    if (word.size() > 3 && word.back() == 's') word.pop_back();
    words.push_back(std::move(word));
  }
  return words;
}

Expr with_words_read(Expr expr) {
  for (Expr& arg : expr.args) arg = with_words_read(std::move(arg));
  if (expr.kind != ExprKind::kText) return expr;
  std::string joined;
  for (const std::string& word : content_words(expr.name))
    joined += (joined.empty() ? "" : " ") + word;
  constexpr std::array<std::string_view, 13> kNumbers = {"zero", "one",    "two",   "three", "four",
                                                         "five", "six",    "seven", "eight", "nine",
                                                         "ten",  "eleven", "twelve"};
  for (size_t i = 0; i < kNumbers.size(); ++i)
    if (joined == kNumbers[i]) return number_expr(static_cast<int>(i));
  for (const std::string_view empty : {"no solution", "no real solution", "empty set"})
    if (joined == empty) return {ExprKind::kConstant, "empty", {}, {}};
  for (const std::string_view reals :
       {"all real number", "all real", "real number", "any real number"})
    if (joined == reals) return {ExprKind::kConstant, "reals", {}, {}};
  if (joined == "doe not exist") expr.name = "dne";
  return expr;
}

bool is_label(const Expr& expr) {
  if (expr.kind == ExprKind::kVariable) return true;
  if (expr.kind == ExprKind::kOpaque)
    return expr.name.starts_with("call ") || expr.name == "overline";
  if (expr.kind == ExprKind::kText) return true;
  return expr.kind == ExprKind::kProduct && expr.args.size() == 2 &&
         expr.args[0].kind == ExprKind::kVariable && expr.args[1].kind == ExprKind::kVariable &&
         expr.args[1].grouped;
}

bool is_inequality(const Expr& expr) {
  return expr.kind == ExprKind::kRelation && !expr.name.empty() &&
         expr.name.find_first_not_of("<>lgn") == std::string::npos;
}

std::optional<Measure> measure_of(const std::string& unit) {
  const size_t caret = unit.find('^');
  const Unit* known = find_unit(unit.substr(0, caret));
  if (known == nullptr) return std::nullopt;
  Measure measure{std::string(known->dimension), Rational(known->top, known->bottom)};
  if (caret == std::string::npos) return measure;
  const std::string power = unit.substr(caret);
  if (power != "^2" && power != "^3") return std::nullopt;
  measure.dimension += power;
  const Rational one = measure.factor;
  measure.factor *= one;
  if (power == "^3") measure.factor *= one;
  return measure;
}

}  // namespace ponder
