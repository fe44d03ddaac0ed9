#include "judge/maths/maths.hpp"

#include <optional>

#include "judge/maths/comparer.hpp"
#include "judge/maths/lexer.hpp"
#include "judge/maths/parser.hpp"
#include "judge/maths/shapes.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr int64_t kSteps = 120'000;

// Without Markdown's emphasis, the brackets of formulas, and a full stop behind.
std::string_view trimmed(std::string_view text) {
  for (size_t before = text.size() + 1; text.size() != before;) {
    before = text.size();
    text = stripped(text);
    for (const std::string_view mark : {"**", "$", "\\(", "\\["})
      if (text.starts_with(mark)) text = stripped(text.substr(mark.size()));
    for (const std::string_view mark : {"**", "$", "\\)", "\\]", "."})
      if (text.ends_with(mark) && !text.ends_with("..") && !text.ends_with("\\$"))
        text = stripped(text.substr(0, text.size() - mark.size()));
  }
  return text;
}

// Of each text, the expressions for all ways to read it.
class Readings {
 public:
  Readings(std::string_view text) : text_(text) {
    if (const auto parsed = parse_maths(text, {true, false, false})) matters_ = parsed->matters;
    // Without grouping, other choices may matter as well.
    const auto apart =
        matters_.group_digits ? parse_maths(text, {false, false, false}) : std::nullopt;
    if (apart) {
      matters_.tight_products |= apart->matters.tight_products;
      matters_.natural_log |= apart->matters.natural_log;
    }
  }

  const MathReading& matters() const { return matters_; }

  // Words, if the text is no mathematics.
  Expr read(const MathReading& reading) const {
    auto parsed = parse_maths(text_, reading);
    Expr expr =
        parsed ? std::move(parsed->expr) : Expr{ExprKind::kText, plain_words(text_), {}, {}};
    return with_words_read(std::move(expr));
  }

 private:
  std::string_view text_;
  MathReading matters_ = {false, false, false};
};

class AllReadings {
 public:
  AllReadings(std::string_view a, std::string_view b, const MathsOptions& options)
      : a_(a), b_(b), steps_(kSteps), comparer_(options, steps_) {}

  // What all readings agree on.
  Equality compare() {
    std::optional<Equality> all;
    for (const bool log : choices(a_.matters().natural_log || b_.matters().natural_log))
      for (const bool tight_a : choices(a_.matters().tight_products))
        for (const bool tight_b : choices(b_.matters().tight_products)) {
          const Equality one = grouped({true, tight_a, log}, {true, tight_b, log});
          all = !all || *all == one ? one : Equality::kUndecided;
        }
    return *all;
  }

 private:
  static std::vector<bool> choices(bool matters) {
    return matters ? std::vector<bool>{false, true} : std::vector<bool>{false};
  }

  // 1,234 means whichever of the two makes the sides equal.
  Equality grouped(MathReading of_a, MathReading of_b) {
    std::optional<Equality> all;
    for (const bool apart_a : choices(a_.matters().group_digits))
      for (const bool apart_b : choices(b_.matters().group_digits)) {
        of_a.group_digits = !apart_a, of_b.group_digits = !apart_b;
        const Equality one = comparer_.compare(a_.read(of_a), b_.read(of_b));
        if (one == Equality::kEqual) return one;
        all = !all || *all == one ? one : Equality::kUndecided;
      }
    return *all;
  }

  Readings a_, b_;
  Steps steps_;
  Comparer comparer_;
};

}  // namespace

std::string_view equality_name(Equality equality) {
  switch (equality) {
    case Equality::kEqual:
      return "equal";
    case Equality::kUnequal:
      return "unequal";
    case Equality::kUndecided:
      break;
  }
  return "undecided";
}

Equality compare_maths(std::string_view expected, std::string_view answer,
                       const MathsOptions& options) {
  expected = trimmed(expected), answer = trimmed(answer);
  if (expected.empty() || answer.empty())
    return expected == answer ? Equality::kUndecided : Equality::kUnequal;
  if (expected == answer) return Equality::kEqual;
  if (expected.size() > kMostMathBytes || answer.size() > kMostMathBytes)
    return Equality::kUndecided;
  return AllReadings(expected, answer, options).compare();
}

}  // namespace ponder
