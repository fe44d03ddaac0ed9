#include "judge/maths/expression.hpp"

#include <algorithm>

namespace ponder {
namespace {

void collect_variables(const Expr& expr, std::vector<std::string>& names) {
  if (expr.kind == ExprKind::kVariable) names.push_back(expr.name);
  for (const Expr& arg : expr.args) collect_variables(arg, names);
}

}  // namespace

std::vector<std::string> variables_of(const Expr& expr) {
  std::vector<std::string> names;
  collect_variables(expr, names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool contains_kind(const Expr& expr, ExprKind kind) {
  return expr.kind == kind || std::any_of(expr.args.begin(), expr.args.end(), [&](const Expr& arg) {
           return contains_kind(arg, kind);
         });
}

bool contains_name(const Expr& expr, ExprKind kind, std::string_view name) {
  return (expr.kind == kind && expr.name == name) ||
         std::any_of(expr.args.begin(), expr.args.end(),
                     [&](const Expr& arg) { return contains_name(arg, kind, name); });
}

}  // namespace ponder
