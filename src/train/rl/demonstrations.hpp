// What a small model learns a task from before it is reinforced: problems that a task makes,
// answered at once or with a chain of thought, some of them with a mistake on the way. A function
// of the seed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "text/tokenizer.hpp"
#include "train/recipe.hpp"
#include "train/rl/problems.hpp"
#include "train/rl/prompt_format.hpp"

namespace ponder {

struct DemonstrationOptions {
  int64_t count = 10000;
  double worked = 0.3;   // share of those with thoughts
  double mistake = 0.0;  // of the worked ones: how likely a step goes wrong
  uint64_t seed = 0;
};

// A chain of thought for the problem, "(1+2)*3=3*3=9", in which each step has gone wrong with that
// probability, and the answer it leads to. Only for tasks whose worked() gives such chains: ""
// else.
struct Chain {
  std::string thoughts, answer;
};
Chain chain_with_mistakes(const Problem& problem, double mistake, Rng& rng);

// The demonstration's answer: "<think>…</think><answer>…</answer>" or "<answer>…</answer>".
std::string demonstration(const Problem& problem, const DemonstrationOptions& options,
                          int64_t index);

// Writes DIR/demonstrations.jsonl from a recipe: seed, [model] path or tokenizer, [demonstrations]
// count, worked, mistake, prompt; [[task]]; and what [evaluation] holds out is left out. Lines have
// {"tokens", "learn_from"}. `seed`: instead of the recipe's.
Result<void> write_demonstrations(const Recipe& recipe, std::optional<uint64_t> seed,
                                  const std::filesystem::path& folder,
                                  const ProgressSink& progress);

}  // namespace ponder
