// Every rollout of a run, so that it can be looked at and scored again:
// DIR/rollouts/step-N.jsonl.zst, one object a line, compressed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "judge/problem.hpp"
#include "train/rl/reward.hpp"
#include "train/rl/rollout.hpp"

namespace ponder {

// One sampled answer with all that is known of it.
struct Rollout {
  int64_t prompt_index = 0;  // in the stream of problems
  int sample = 0;
  uint64_t seed = 0;  // the answer can be sampled again with it, alone
  Problem problem;
  std::vector<int32_t> prompt;  // tokens
  bool starts_inside = false;
  RolloutAnswer answer;
  std::string text;  // of the answer
  Reward reward;
};

OrderedJson rollout_to_json(const Rollout& rollout);
// Errors name `where`. All lengths must agree.
Result<Rollout> rollout_from_json(const Json& object, const std::string& where);

// The file of step `step` in the run's folder.
std::filesystem::path rollout_file(const std::filesystem::path& run, int64_t step);
// The steps that have one, ascending.
Result<std::vector<int64_t>> stored_steps(const std::filesystem::path& run);

// Appears complete or not at all.
Result<void> write_rollouts(const std::filesystem::path& file,
                            const std::vector<Rollout>& rollouts);
// visit(rollout) for each until it returns false.
Result<void> read_rollouts(const std::filesystem::path& file,
                           const std::function<bool(Rollout)>& visit);

}  // namespace ponder
