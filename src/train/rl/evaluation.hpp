// How good a policy is on problems it has never learned from, with what chance alone could explain.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "train/rl/rl_options.hpp"
#include "train/rl/sampler.hpp"
#include "train/run.hpp"

namespace ponder {

// The 95 % interval of a share of `right` in `all` (Wilson 1927): where the true share lies.
struct ShareInterval {
  double share = 0.0, low = 0.0, high = 1.0;
};
ShareInterval wilson_interval(int64_t right, int64_t all);

// The chance that one of k samples is right, estimated from n ≥ k samples of which c are: without
// bias, 1 − C(n−c, k)/C(n, k) (Chen et al. 2021, 2107.03374 §2.1).
double pass_at(int64_t k, int64_t n, int64_t c);

// Figures:
//   eval_greedy, …_low, …_high     share of right answers at temperature 0, its interval
//   eval_greedy_level_N            the same of one level, if there are several
//   eval_sampled, eval_thinks      at `temperature`: right; with thoughts
//   eval_pass_at_K                 K = samples, if more than one
//   eval_direct, eval_thinking     greedy answers made to begin with <answer>, with <think>
//   eval_direct_level_N …
//   eval_tokens                    mean length of greedy answers
Result<Figures> evaluate_policy(Sampler& sampler, std::span<const Problem> problems,
                                const EvaluationOptions& options, float temperature);

}  // namespace ponder
