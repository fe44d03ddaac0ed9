// What the checker of maths understands of an answer: a tree of bounded size and depth.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <string>
#include <vector>

namespace ponder {

using BigInt = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>,
                                             boost::multiprecision::et_off>;
using Rational = boost::multiprecision::number<
    boost::multiprecision::rational_adaptor<boost::multiprecision::cpp_int_backend<>>,
    boost::multiprecision::et_off>;

enum class ExprKind {
  kNumber,     // value
  kVariable,   // name: "x", "x_1", "alpha"
  kConstant,   // name: "pi", "e", "i", "infinity", "reals", "empty" …
  kSum,        // of args
  kProduct,    // of args
  kQuotient,   // args[0] / args[1]
  kPower,      // args[0] ^ args[1]
  kRoot,       // args[1]-th root of args[0]
  kNegative,   // −args[0]
  kPlusMinus,  // ±args[0]; name "-": ∓, which takes the other sign
  kFunction,   // name: "sin", "log" (args[1]: base, if there) …; of args[0]
  kFactorial,  // args[0]!
  kQuantity,   // args[0] in the unit `name`
  kBased,      // name: digits, args[0]: base
  kRatio,      // args[0] : args[1] : …
  kList,       // args with commas between; name "or", "and": with that word
  kTuple,      // name: its two brackets, "()", "[]", "(]", "[)"
  kSet,        // {args}
  kMatrix,     // name: columns; args row by row
  kJoined,     // args[0] name args[1]: name is "union", "intersection" or "minus"
  kMember,     // args[0] ∈ args[1]
  kSuchThat,   // {args[0] | args[1]}
  kRelation,   // args with operators between, one character of `name` each: = < > l g n ~ c
               // (l ≤, g ≥, n ≠, ~ ≈, c ≡)
  kDots,       // …
  kText,       // words, in `name`
  kOpaque      // compared by its form only: `name` of args
};

struct Expr {
  ExprKind kind = ExprKind::kText;
  std::string name = {};
  Rational value = {};
  std::vector<Expr> args = {};
  bool grouped = false;  // stood in brackets of its own

  // Same form, brackets aside.
  bool operator==(const Expr& other) const {
    return kind == other.kind && name == other.name && value == other.value && args == other.args;
  }
};

inline Expr number_expr(Rational value) { return {ExprKind::kNumber, {}, std::move(value), {}}; }
inline Expr make_expr(ExprKind kind, std::vector<Expr> args, std::string name = {}) {
  return {kind, std::move(name), {}, std::move(args)};
}

// The names of all variables in it, sorted, each once.
std::vector<std::string> variables_of(const Expr& expr);
bool contains_kind(const Expr& expr, ExprKind kind);
bool contains_name(const Expr& expr, ExprKind kind, std::string_view name);

}  // namespace ponder
