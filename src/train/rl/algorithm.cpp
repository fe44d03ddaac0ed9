#include "train/rl/algorithm.hpp"

namespace ponder {

Result<Algorithm> algorithm_by_name(std::string_view name, int64_t most_tokens) {
  const auto constant = static_cast<double>(most_tokens);
  if (name == "grpo") return Algorithm{.objective = {.kl = KlKind::kK3, .kl_weight = 0.001}};
  if (name == "dr_grpo")
    return Algorithm{
        .baseline = Baseline::kGroupMean,
        .objective = {.aggregation = Aggregation::kConstant, .constant_length = constant}};
  if (name == "dapo")
    return Algorithm{.objective = {.clip_high = 0.28, .aggregation = Aggregation::kToken},
                     .dynamic_sampling = true,
                     .overlong_buffer = most_tokens / 5};
  if (name == "gspo")
    return Algorithm{
        .objective = {.surrogate = Surrogate::kSequence, .clip_low = 3e-4, .clip_high = 4e-4}};
  if (name == "cispo")  // weights up to 5, and no least weight
    return Algorithm{.objective = {.surrogate = Surrogate::kWeighted,
                                   .clip_low = 1.0,
                                   .clip_high = 4.0,
                                   .aggregation = Aggregation::kToken}};
  if (name == "rloo")
    return Algorithm{.baseline = Baseline::kLeaveOneOut,
                     .objective = {.surrogate = Surrogate::kPlain,
                                   .aggregation = Aggregation::kConstant,
                                   .constant_length = constant}};
  if (name == "reinforce++")
    return Algorithm{.baseline = Baseline::kBatch,
                     .objective = {.aggregation = Aggregation::kToken},
                     .kl_in_reward = 0.01};
  return Failure{{.what = "unknown algorithm \"" + std::string(name) + "\"",
                  .mend = "use grpo, dr_grpo, dapo, gspo, cispo, rloo or reinforce++"}};
}

}  // namespace ponder
