// Asks what has not been answered yet, and judges what has not been judged. Both can be stopped and
// gone on with; nothing that is stored is asked again.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "eval/answering.hpp"
#include "eval/pricing.hpp"
#include "eval/run_store.hpp"
#include "eval/suite.hpp"

namespace ponder {

struct AskPlan {
  const Suite* suite = nullptr;
  AnsweringModel* model = nullptr;
  RunStore* store = nullptr;
  AskOptions options = {};
  int64_t samples = 1;  // of each problem
  uint64_t seed = 0;
  const TokenPrice* price = nullptr;  // of an endpoint's tokens; nullptr: unknown
  double budget = 0.0;                // dollars of the whole run; 0: no limit. Needs a price
  ProgressSink progress = {};         // unit "answers"; what it gives back does not count
  std::function<int()> stop = {};     // 0: go on; 1: no new questions; 2: give up those under way
};

// Why asking ended.
struct AskOutcome {
  int64_t answered = 0;      // in this call
  int64_t missing = 0;       // of the whole run
  bool stopped = false;      // was asked to
  bool over_budget = false;  // the next answer could have cost more than is left
  Error failure = {};        // of the last question that failed; empty: none did
};
Result<AskOutcome> ask_all(const AskPlan& plan);

// A reserve is kept for each question under way, of the most that it may cost, so that the budget
// holds whatever comes.
class Budget {
 public:
  Budget(const TokenPrice* price, double limit, double spent)
      : price_(price), limit_(limit), spent_(spent) {}

  // False: there is too little left.
  bool reserve(int64_t prompt_bytes, int64_t max_tokens);
  void settle(int64_t prompt_bytes, int64_t max_tokens, double dollars);

 private:
  const TokenPrice* price_;
  double limit_, spent_, reserved_ = 0.0;
};

using JudgeFunction = std::function<Judgement(const Problem& problem, std::string_view text)>;
struct JudgePlan {
  const std::vector<StoredProblem>* problems = nullptr;
  RunStore* store = nullptr;
  JudgeFunction judge = {};  // from many threads
  int threads = 1;
  bool again = false;          // those too that have a verdict
  ProgressSink progress = {};  // unit "verdicts"
};
// Answers that have none, or kInfra. Errors: the store's, "stopped".
Result<void> judge_all(const JudgePlan& plan);

// The seed of a sample: the same wherever and whenever it is asked.
uint64_t sample_seed(uint64_t seed, const std::string& problem, int64_t sample);

}  // namespace ponder
