// The recipe of reinforcement learning.
//
//   [rl]          algorithm, steps, prompts, samples, max_tokens … and every part of an algorithm
//   [reward]      read_reward()
//   [[task]]      ProblemStream::read_sources()
//   [evaluation]  EvaluationOptions, with [[evaluation.task]] if it is not on [[task]]
//   [optimizer]   as for every stage; its schedule runs over `steps`
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "train/recipe.hpp"
#include "train/rl/algorithm.hpp"
#include "train/rl/reward.hpp"

namespace ponder {

// How answers are sampled.
struct SamplingPlan {
  int64_t prompts = 32;  // groups in a step
  int64_t samples = 16;  // answers in a group
  int64_t max_tokens = 512;
  int64_t context = 1024;
  double temperature = 1.0;
  int64_t parallel = 64;
  std::string prompt = "chat";  // PromptFormat
  std::string system = {};
  std::string begun = {};   // what every answer begins with, as if the model had written it
  int64_t most_rounds = 1;  // of sampling in a step, while too few groups differ
};

// How they are learned from.
struct LearningPlan {
  int64_t minibatches = 1;      // updates in one pass over a step's answers
  int64_t epochs = 1;           // passes
  int64_t leaf_tokens = 4096;   // that go through a training pass together
  bool recompute = true;        // layers on the way back, instead of keeping what is inside them
  int64_t reference_every = 0;  // steps after which the reference becomes the policy; 0: never
  bool mask_truncated = false;  // answers without an end teach nothing
  bool share_prompts = true;    // a prompt goes through a training pass once for its answers
};

struct EvaluationOptions {
  int64_t every = 0;       // steps; 0: at the end only
  bool first = false;      // before the first step too: figures that begin with "start_"
  int64_t problems = 200;  // held out: they are never trained on
  int64_t samples = 1;     // at the temperature, for accuracy and pass@samples
  uint64_t seed = 1;       // of the problems and the samples
  bool forced = false;     // also with answers that begin with <answer>, and with <think>
};

struct RlOptions {
  int64_t steps = 100;
  Algorithm algorithm;
  SamplingPlan sampling;
  LearningPlan learning;
  RewardOptions reward;
  EvaluationOptions evaluation;
  bool store = true;  // every rollout, in DIR/rollouts
};

// All keys of [rl], [reward] and [evaluation].
Result<RlOptions> read_rl_options(const Recipe& recipe);
Result<SamplingPlan> read_sampling_plan(const Recipe& table);
Result<EvaluationOptions> read_evaluation(const Recipe& table);

}  // namespace ponder
