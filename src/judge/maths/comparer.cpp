#include "judge/maths/comparer.hpp"

#include <algorithm>

#include "judge/maths/real_set.hpp"
#include "judge/maths/scalar.hpp"
#include "judge/maths/shapes.hpp"
#include "judge/maths/words.hpp"

namespace ponder {
namespace {

constexpr int kMostDepth = 100;

bool is_one_of(const Expr& expr, std::initializer_list<ExprKind> kinds) {
  return std::find(kinds.begin(), kinds.end(), expr.kind) != kinds.end();
}

bool is_collection(const Expr& expr) {
  return is_one_of(expr, {ExprKind::kList, ExprKind::kSet, ExprKind::kTuple, ExprKind::kMatrix});
}

bool is_equation(const Expr& expr) {
  return expr.kind == ExprKind::kRelation && expr.name.find_first_not_of("=~") == std::string::npos;
}

// What is a set of numbers whatever it stands beside.
bool is_set_like(const Expr& expr) {
  const bool constant =
      expr.kind == ExprKind::kConstant && (expr.name == "reals" || expr.name == "empty");
  const bool half_open = expr.kind == ExprKind::kTuple && (expr.name == "(]" || expr.name == "[)");
  const bool conditions = expr.kind == ExprKind::kList && !expr.name.empty() &&
                          std::all_of(expr.args.begin(), expr.args.end(), is_inequality);
  return constant || half_open || conditions || is_inequality(expr) ||
         is_one_of(expr, {ExprKind::kJoined, ExprKind::kMember, ExprKind::kSuchThat});
}

// A number or an expression that has a value.
bool is_scalar(const Expr& expr) {
  return is_one_of(expr,
                   {ExprKind::kNumber, ExprKind::kVariable, ExprKind::kSum, ExprKind::kProduct,
                    ExprKind::kQuotient, ExprKind::kPower, ExprKind::kRoot, ExprKind::kNegative,
                    ExprKind::kFunction, ExprKind::kFactorial, ExprKind::kBased}) ||
         (expr.kind == ExprKind::kConstant && !is_set_like(expr));
}

bool has_digit(std::string_view text) {
  return text.find_first_of("0123456789") != std::string_view::npos;
}

bool has_number_word(std::string_view text) {
  constexpr std::string_view kWords[] = {
      "half",     "third",   "quarter", "dozen",  "teen",   "twenty",  "thirty",
      "fort",     "fift",    "sixt",    "sevent", "eight",  "ninet",   "hundred",
      "thousand", "million", "billion", "pair",   "double", "twice",   "once",
      "none",     "nothing", "nil",     "fourth", "single", "infinit", "unbounded"};
  return std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

// Digits, or a word that may mean a number.
bool may_have_number(std::string_view text) { return has_digit(text) || has_number_word(text); }

std::string sorted_letters(const std::string& text) {
  std::string letters;
  for (const char c : text)
    if (c != ' ') letters += c;
  std::sort(letters.begin(), letters.end());
  return letters;
}

Expr scaled(const Expr& expr, const Rational& factor) {
  return make_expr(ExprKind::kProduct, {expr, number_expr(factor)});
}

// Only words that nobody knows as a unit.
bool is_plain_noun(const std::string& unit) {
  return unit.find_first_of("/^% ") == std::string::npos && !measure_of(unit) &&
         !is_known_word(unit);
}

// The sides of an equation that say its value: those behind a label, or before one.
std::vector<Expr> value_sides(const Expr& relation) {
  std::vector<Expr> sides = relation.args;
  if (is_label(sides.front()))
    sides.erase(sides.begin());
  else if (is_label(sides.back()))
    sides.pop_back();
  return sides;
}

const Expr* label_of(const Expr& relation) {
  if (is_label(relation.args.front())) return &relation.args.front();
  return is_label(relation.args.back()) ? &relation.args.back() : nullptr;
}

bool is_constant(const Expr& expr) { return variables_of(expr).empty(); }

// A comparison with the larger side last.
Inequality inequality_of(const Expr& relation) {
  const char op = relation.name[0];
  const bool ascending = op == '<' || op == 'l';
  return {relation.args[ascending ? 0 : 1], relation.args[ascending ? 1 : 0],
          op == '<' || op == '>'};
}

}  // namespace

Equality Comparer::compare(const Expr& a, const Expr& b) {
  if (a == b) return Equality::kEqual;
  if (!steps_.spend(1) || depth_ >= kMostDepth) return Equality::kUndecided;
  ++depth_;
  const Equality result = by_kind(a, b);
  --depth_;
  return steps_.spent() ? Equality::kUndecided : result;
}

Equality Comparer::by_kind(const Expr& a, const Expr& b) {
  for (const auto& [one, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    if (one->kind != ExprKind::kText) continue;
    return other->kind == ExprKind::kText ? texts(a, b) : text_and_other(*one, *other);
  }
  if (is_set_like(a) || is_set_like(b)) {
    const auto x = real_set_of(a, steps_), y = real_set_of(b, steps_);
    if (x && y) return equal_sets(*x, *y, steps_);
    const bool point = (x && x->size() == 1 && (*x)[0].low == (*x)[0].high) ||
                       (y && y->size() == 1 && (*y)[0].low == (*y)[0].high);
    if ((x && is_scalar(b)) || (y && is_scalar(a)))
      return point ? Equality::kUndecided : Equality::kUnequal;
  }
  if (a.kind == ExprKind::kRelation && b.kind == ExprKind::kRelation) return relations(a, b);
  if (a.kind == ExprKind::kRelation) return relation_and_other(a, b);
  if (b.kind == ExprKind::kRelation) return relation_and_other(b, a);
  if (contains_kind(a, ExprKind::kPlusMinus) || contains_kind(b, ExprKind::kPlusMinus))
    return compare(without_plus_minus(a), without_plus_minus(b));
  const bool a_measured = a.kind == ExprKind::kQuantity, b_measured = b.kind == ExprKind::kQuantity;
  if (a_measured && b_measured) return quantities(a, b);
  if (is_collection(a) || is_collection(b)) return collections(a, b);
  if (a_measured || b_measured)
    return a_measured ? quantity_and_plain(a, b) : quantity_and_plain(b, a);
  const bool a_ratio = a.kind == ExprKind::kRatio, b_ratio = b.kind == ExprKind::kRatio;
  if (a_ratio && b_ratio) return ratios(a, b);
  if (a_ratio || b_ratio) {
    const Expr& ratio = a_ratio ? a : b;
    if (ratio.args.size() != 2 || ratio.name == "time") return Equality::kUnequal;
    return compare(make_expr(ExprKind::kQuotient, ratio.args), a_ratio ? b : a);
  }
  if ((a.kind == ExprKind::kBased) != (b.kind == ExprKind::kBased))
    return a.kind == ExprKind::kBased ? based_and_other(a, b) : based_and_other(b, a);
  if (a.kind == ExprKind::kOpaque && b.kind == ExprKind::kOpaque && a.name == "congruence" &&
      b.name == "congruence")
    return congruences(a, b);
  if (is_set_like(a) || is_set_like(b)) return Equality::kUndecided;
  return equal_scalars(a, b, steps_);
}

Equality Comparer::texts(const Expr& a, const Expr& b) {
  const std::vector<std::string> x = content_words(a.name), y = content_words(b.name);
  if (x == y) return Equality::kEqual;
  const bool words = x.size() == 1 && y.size() == 1;
  if (!words || sorted_letters(a.name) == sorted_letters(b.name)) return Equality::kUndecided;
  // One may be short for the other, or another form of it.
  constexpr size_t kSameStem = 4;
  const size_t shorter = std::min({x[0].size(), y[0].size(), kSameStem});
  const bool prefix = x[0].substr(0, shorter) == y[0].substr(0, shorter);
  return prefix || has_digit(a.name) || has_digit(b.name) ? Equality::kUndecided
                                                          : Equality::kUnequal;
}

Equality Comparer::text_and_other(const Expr& text, const Expr& other) {
  if (may_have_number(text.name)) return Equality::kUndecided;
  if (other.kind == ExprKind::kRelation && is_equation(other))
    return compare(text, value_sides(other).back());
  if (other.kind == ExprKind::kQuantity) return Equality::kUndecided;
  if (is_collection(other) || other.kind == ExprKind::kOpaque || is_set_like(other))
    return Equality::kUndecided;
  if (is_constant(other))
    return infinite_sign(other) != 0 ? Equality::kUndecided : Equality::kUnequal;
  std::string letters;
  for (const std::string& name : variables_of(other)) letters += name;
  const bool same_letters = sorted_letters(text.name) == sorted_letters(letters);
  return same_letters || text.name.size() <= 3 ? Equality::kUndecided : Equality::kUnequal;
}

Equality Comparer::quantities(const Expr& a, const Expr& b) {
  if (a.name == b.name) return compare(a.args[0], b.args[0]);
  const auto x = measure_of(a.name), y = measure_of(b.name);
  if (x && y) {
    if (x->dimension != y->dimension) return Equality::kUnequal;
    return compare(scaled(a.args[0], x->factor), scaled(b.args[0], y->factor));
  }
  const Equality values = compare(a.args[0], b.args[0]);
  if (is_plain_noun(a.name) && is_plain_noun(b.name) && values == Equality::kUnequal) return values;
  return Equality::kUndecided;
}

Equality Comparer::quantity_and_plain(const Expr& quantity, const Expr& plain) {
  if (quantity.name == "%") return percent_and_plain(quantity, plain);
  if (quantity.name == "degree") {
    const Equality number = compare(quantity.args[0], plain);
    if (number == Equality::kEqual) return number;
    const Equality angle = equal_scalars(quantity, plain, steps_);
    return angle == Equality::kEqual ? angle : both_of(number, angle);
  }
  if (has_number_word(quantity.name)) return Equality::kUndecided;  // 2 dozen
  const Equality number = compare(quantity.args[0], plain);
  return options_.ignore_missing_units || number == Equality::kUndecided ? number
                                                                         : Equality::kUnequal;
}

// 50% is 1/2, and, without its unit, 50. Whether 0.5% is 0.5 depends on what was asked.
Equality Comparer::percent_and_plain(const Expr& percent, const Expr& plain) {
  const Equality exact = equal_scalars(percent, plain, steps_);
  if (exact == Equality::kEqual) return exact;
  const Equality number = compare(percent.args[0], plain);
  if (number != Equality::kEqual) return both_of(number, exact);
  if (!options_.ignore_missing_units) return exact;
  const Order large =
      order_of(make_expr(ExprKind::kFunction, {plain}, "abs"), number_expr(1), steps_);
  return large == Order::kGreater ? Equality::kEqual : Equality::kUndecided;
}

Equality Comparer::relations(const Expr& a, const Expr& b) {
  if (is_equation(a) && is_equation(b)) {
    const Expr *x = label_of(a), *y = label_of(b);
    if (x != nullptr && y != nullptr) {
      const bool same = *x == *y;
      const bool names = x->kind != ExprKind::kVariable || y->kind != ExprKind::kVariable;
      if (same || names) return compare(value_sides(a).back(), value_sides(b).back());
    }
    if (a.args.size() != 2 || b.args.size() != 2) return Equality::kUndecided;
    return equal_equations({a.args[0], a.args[1]}, {b.args[0], b.args[1]}, steps_);
  }
  const bool simple =
      is_inequality(a) && is_inequality(b) && a.name.size() == 1 && b.name.size() == 1;
  if (simple && a.name != "n" && b.name != "n")
    return equal_inequalities(inequality_of(a), inequality_of(b), steps_);
  return Equality::kUndecided;
}

// "x = 2+3 = 5" is 5, if all it says is true.
Equality Comparer::relation_and_other(const Expr& relation, const Expr& other) {
  if (!is_equation(relation)) return Equality::kUndecided;
  std::vector<Expr> sides = value_sides(relation);
  const bool labelled = sides.size() < relation.args.size();
  if (relation.name.find('~') != std::string::npos) sides.resize(1);  // the rest is not exact
  if (is_constant(other) && sides.size() > 1)
    std::erase_if(sides, [](const Expr& side) { return !is_constant(side); });
  if (sides.empty()) return Equality::kUndecided;
  Equality consistent = Equality::kEqual;
  for (size_t i = 1; i < sides.size(); ++i)
    consistent = both_of(consistent, compare(sides[i - 1], sides[i]));
  if (consistent != Equality::kEqual)  // a false statement, or an equation to solve
    return std::all_of(sides.begin(), sides.end(), is_constant) ? consistent : Equality::kUndecided;
  const Equality value = compare(sides.back(), other);
  const bool sure = labelled || value == Equality::kEqual || sides.size() == relation.args.size();
  return sure ? value : Equality::kUndecided;
}

// Whether a number without its base is in that base, is not known.
Equality Comparer::based_and_other(const Expr& based, const Expr& other) {
  if (other.kind == ExprKind::kNumber && other.value.str() == based.name) return Equality::kEqual;
  const Equality value = equal_scalars(based, other, steps_);
  return value == Equality::kEqual ? Equality::kUndecided : value;
}

Equality Comparer::congruences(const Expr& a, const Expr& b) {
  const auto part = [&](const Expr& expr, size_t from_end) {
    return exact_value(expr.args[expr.args.size() - from_end], steps_);
  };
  const auto n = part(a, 1), m = part(b, 1), x = part(a, 2), y = part(b, 2);
  if (!n || !m || !x || !y || *n <= 0) return Equality::kUndecided;
  if (*n != *m) return Equality::kUnequal;
  const Rational turns = (*x - *y) / *n;
  return denominator(turns) == 1 ? Equality::kEqual : Equality::kUnequal;
}

}  // namespace ponder
