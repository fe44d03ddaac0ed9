// `ponder train sample`: many answers to many problems, judged, and the right ones kept as
// examples. Any model that can be run will do, also a quantised one.
//
// DIR/rollouts/    every answer, a file for each batch of problems: what is there is not sampled
// again DIR/samples.jsonl, DIR/report.json    what was kept, and what became of the rest
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "train/communicator.hpp"
#include "train/recipe.hpp"
#include "train/rl/selection.hpp"

namespace ponder {

struct SampleRunOptions {
  std::filesystem::path out;
  bool resume = false;
  int threads = 0;
  std::string isa = {};
  std::optional<uint64_t> seed = {};  // instead of the recipe's
  std::function<bool()> stop = {};    // asked between tokens
  ProgressSink progress = {};         // unit "answers"; on rank 0
  Communicator* ranks = nullptr;      // null: this process alone
};

// Keys: seed, [model] path; [sample] problems and, as in [rl], prompts (of a batch), samples,
// max_tokens, context, temperature, parallel, prompt, system, begun; [reward], [select], [[task]];
// what [evaluation] holds out is left out. Errors: "stopped" if stopped; what is done stays.
Result<SelectionCounts> run_sampling(const Recipe& recipe, const SampleRunOptions& options);

}  // namespace ponder
