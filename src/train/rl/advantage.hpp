// From the rewards of answers to the advantages of their tokens. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ponder {

// What a reward is compared with.
enum class Baseline {
  kGroup,        // (r − mean) / deviation of its group: GRPO (2402.03300 §4.1.2)
  kGroupMean,    // r − mean: Dr.GRPO (2503.20783), which drops the deviation
  kLeaveOneOut,  // r − mean of the others in its group: RLOO (2402.14740)
  kBatch,        // normalised over all tokens of the batch: REINFORCE++ (2501.03262)
};

Result<Baseline> baseline_by_name(std::string_view name);  // "group", "group_mean" …

// Advantages of a group of answers to one prompt; kBatch gives the rewards themselves, for
// normalise(). An answer without a reward, because it could not be judged, gets 0 and counts for
// nobody else. The deviation is that of the group itself (÷ G); a group of equals has advantage 0.
std::vector<double> group_advantages(std::span<const std::optional<double>> rewards,
                                     Baseline baseline);

// Whether a group teaches anything: two of its rewards differ. DAPO samples others instead.
bool differs(std::span<const std::optional<double>> rewards);

// What each token of an answer is worth with the KL in the reward: reward − weight · Σ (ℓ − r) from
// the token to the end. `kl`: (n) ℓ − r, at sampling.
std::vector<double> returns_with_kl(double reward, std::span<const double> kl, double weight);

// Mean 0 and deviation 1 over all tokens of all answers; only the mean if they are all equal.
void normalise(std::span<std::vector<double>> advantages);

// DAPO's punishment of answers that are nearly too long (2503.14476 equation 13): 0 up to
// most − buffer tokens, from there on down to −1 at `most`.
double overlong_penalty(int64_t tokens, int64_t most, int64_t buffer);

}  // namespace ponder
