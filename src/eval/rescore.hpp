// A stored run judged again: other tests for the same problems, or this program's judges. The
// answers stay what they were; no model is asked.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "eval/run_store.hpp"
#include "eval/suite.hpp"

namespace ponder {

// The stored problems, in their order and with their marks of contamination, as `suite` has them:
// its tests, answers and levels. It may have more problems. Errors: a stored problem is not in it,
// or is asked or answered otherwise there (prompt, task, language, function, source that the answer
// goes on from). The words around the prompts are not compared: those that were sent count.
Result<std::vector<StoredProblem>> match_problems(const std::vector<StoredProblem>& stored,
                                                  const Suite& suite);

// The note of a suite in a run.
OrderedJson suite_note(const Suite& suite);

// Copies the run of `from`, which is not written to, into the new folder `to`: no verdicts, and the
// problems of `suite` if there is one. The note "rescored" says from where. Errors: as above, `to`
// holds a run, the store's.
Result<std::unique_ptr<RunStore>> prepare_rescore(const std::filesystem::path& from,
                                                  const std::filesystem::path& to,
                                                  const Suite* suite);

// A sample whose verdict is another one now; samples that one of both has not judged are left out.
struct ChangedVerdict {
  std::string problem;
  int64_t sample = 0;
  Verdict before = Verdict::kInfra, now = Verdict::kInfra;
};
Result<std::vector<ChangedVerdict>> changed_verdicts(RunStore& before, RunStore& now);

}  // namespace ponder
