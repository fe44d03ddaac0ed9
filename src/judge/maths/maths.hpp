// Are two answers the same mathematics? Three-valued, and exact: "equal" and "unequal" are said
// only of what was shown, everything else is "undecided". docs/maths-checker.md tells what is
// understood.
#pragma once

#include <string>
#include <string_view>

namespace ponder {

enum class Equality { kEqual, kUnequal, kUndecided };

std::string_view equality_name(Equality equality);  // "equal", "unequal", "undecided"

struct MathsOptions {
  // A unit that only one side has does not count: 5 cm is 5. Otherwise it makes them unequal.
  bool ignore_missing_units = true;
};

// Of answers in LaTeX or plain text, as extract_answer() gives them. A pure function, bounded in
// steps and memory whatever the texts; may be called from many threads.
Equality compare_maths(std::string_view expected, std::string_view answer,
                       const MathsOptions& options = {});

}  // namespace ponder
