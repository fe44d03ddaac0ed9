// A rule of the user's own: documents for which an expression is false are rejected.
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "data/rules/expression_parser.hpp"
#include "data/rules/filters.hpp"
#include "io/json.hpp"

namespace ponder {
namespace {

ExpressionValue value_of_json(const std::string& text) {
  const auto json = parse_json(text, "field");
  if (!json.ok()) return std::numeric_limits<double>::quiet_NaN();
  const Json& value = json.value();
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  if (value.is_number()) return value.get<double>();
  return std::numeric_limits<double>::quiet_NaN();
}

ExpressionValue value_of_name(std::string_view name, const Document& document,
                              FilterScratch& scratch) {
  TextFeatures& features = scratch.features;
  if (name == "chars") return static_cast<double>(features.chars());
  if (name == "bytes") return static_cast<double>(features.text().size());
  if (name == "words") return static_cast<double>(features.words().size());
  if (name == "lines") return static_cast<double>(features.lines().size());
  if (name == "text") return std::string(features.text());
  if (name == "id") return document.id;
  if (name == "url") return document.url;
  for (const auto& [added, value] : document.added)
    if (added == name) return value_of_json(value);
  if (scratch.record == nullptr) return std::numeric_limits<double>::quiet_NaN();
  return value_of_json(scratch.record->field(name));
}

class ExpressionFilter : public TextFilter {
 public:
  ExpressionFilter() : TextFilter("expression") {
    numbers_ = {{"least", 1, "least number of the expressions that must be true"}};
    lists_ = {{"keep", {}, "expressions that are true for documents to keep"}};
    rules_ = {{"expression", 0, FilterRule::kBelow}};
  }

  Result<void> prepare() override {
    for (const std::string& text : list(0))
      expressions_.push_back(PONDER_TRY(Expression::parse(text)));
    if (expressions_.empty())
      return Failure{{.what = "there is no expression",
                      .where = "expression",
                      .mend = "give keep = [\"words > 10\"]"}};
    return {};
  }

  void check(Document& document, FilterScratch& scratch, Measures& measures) const override {
    double count = 0;
    for (const Expression& expression : expressions_)
      count += expression.is_true(
          [&](std::string_view name) { return value_of_name(name, document, scratch); });
    measures.take(*this, 0, count);
  }

 private:
  std::vector<Expression> expressions_;
};

}  // namespace

std::unique_ptr<TextFilter> make_expression() { return std::make_unique<ExpressionFilter>(); }

}  // namespace ponder
