// Whether a suite can be believed here: its own solutions must pass, and programs that it says are
// wrong must not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "eval/suite.hpp"

namespace ponder {

struct CheckedSolution {
  std::string id;      // of its problem
  bool wrong = false;  // it was to fail
  Judgement judgement;

  bool as_expected() const {
    if (judgement.verdict == Verdict::kInfra) return false;
    return (judgement.verdict == Verdict::kPass) != wrong;
  }
};

struct SuiteCheck {
  std::vector<CheckedSolution> all;  // in the order of the suite
  int64_t without = 0;               // problems that have no solution

  int64_t count(bool wrong, bool as_expected) const;
};

// `threads` at once. `sandbox` may be null if no problem is of code. Errors: "stopped", if the sink
// says so.
Result<SuiteCheck> check_solutions(const Suite& suite, const Sandbox* sandbox, int threads,
                                   const ProgressSink& progress);

}  // namespace ponder
