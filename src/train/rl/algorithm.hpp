// The algorithms by name: each is a choice of baseline, loss and aggregation, and every part of it
// can be changed in a recipe.
#pragma once

#include <string_view>

#include "train/rl/advantage.hpp"
#include "train/rl/objective.hpp"

namespace ponder {

struct Algorithm {
  Baseline baseline = Baseline::kGroup;
  ObjectiveOptions objective;
  bool dynamic_sampling = false;  // groups of equals are replaced by others
  int64_t overlong_buffer = 0;    // tokens before the longest answer from which length costs
  double kl_in_reward = 0.0;      // weight of the KL that is taken from the reward, token by token
};

// "grpo", "dr_grpo", "dapo", "gspo", "cispo", "rloo", "reinforce++", with the constants of their
// papers. `most_tokens`: of an answer, what Dr.GRPO and RLOO divide by.
Result<Algorithm> algorithm_by_name(std::string_view name, int64_t most_tokens);

}  // namespace ponder
