// From the file of a run to what is said about it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "eval/run_store.hpp"
#include "eval/statistics.hpp"

namespace ponder {

// One sample without its texts.
struct ScoredSample {
  int64_t sample = 0;
  std::optional<Verdict> verdict;  // nothing: not judged
  AnswerEnd end = AnswerEnd::kStop;
  std::string extracted;
  TokenUsage usage;
  std::string doubts;
  double seconds = 0.0;           // as measured
  double share = 0.0;             // of the run's time, where the model ran here
  std::optional<double> dollars;  // tokens, or this machine's time
};

struct ScoredProblem {
  std::string id;
  int level = 0;
  bool contaminated = false;
  std::vector<ScoredSample> samples;  // those that are there

  ProblemCounts counts() const;  // of judged samples, without those of kInfra
  Votes votes() const;
};

// A number of one kind with its intervals, or why it is not told.
struct Headline {
  std::optional<Estimate> estimate;
  std::string withheld;  // "3 answers are missing"; empty if there is an estimate
};

struct Money {
  std::optional<Ratio> dollars_per_task, dollars_per_solved;
  std::optional<double> dollars;  // of the whole run
};

struct RunScore {
  std::filesystem::path folder;
  std::string suite, model;
  OrderedJson about;    // notes "suite", "model", "protocol" …
  int64_t planned = 0;  // samples of a problem
  int64_t answered = 0, missing = 0, unjudged = 0, infra = 0, truncated = 0, doubtful = 0;
  int64_t input_tokens = 0, cached_tokens = 0, output_tokens = 0, reasoning_tokens = 0;
  int64_t lost_tokens = 0, interrupted = 0;
  double seconds = 0.0;  // that answering took
  std::map<Verdict, int64_t> verdicts;

  std::vector<ScoredProblem> problems;
  Headline pass_1;
  std::map<int64_t, Headline> pass_k, cons_k;  // by k > 1
  Headline clean_pass_1;                       // without contaminated problems
  std::map<int, Headline> levels;              // pass@1 by level, if there are several
  int64_t contaminated = 0;
  bool contamination_known = false;
  std::optional<Ratio> tokens_per_solved;  // output
  std::optional<Ratio> seconds_per_task;
  Money money;
};

// `machine_price`: dollars of an hour of this machine, for models that ran here; nothing: unknown.
// The note "withheld", if there is one, and what is missing or kInfra keep the headlines back.
Result<RunScore> score_run(RunStore& store, const std::filesystem::path& folder,
                           std::optional<double> machine_price);

// Over the problems that both have; nothing if they are of different suites or share none.
struct Comparison {
  std::string suite;
  std::string a, b;  // models
  int64_t problems = 0;
  Difference difference;  // pass@1 of a − of b
};
std::optional<Comparison> compare_runs(const RunScore& a, const RunScore& b);

}  // namespace ponder
