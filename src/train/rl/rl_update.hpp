// Learning from a step's answers: advantages, the order of what is computed, and the passes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "train/rl/algorithm.hpp"
#include "train/rl/rl_options.hpp"
#include "train/rl/store.hpp"
#include "train/run.hpp"

namespace ponder {

// Numbers of an answer's rows, one a token; empty for answers that are left out.
using RowNumbers = std::vector<std::vector<double>>;

// Answers that are learned from: they were judged, and ended if only such are wanted.
std::vector<bool> learnable(std::span<const Rollout> rollouts, bool mask_truncated);

// Groups are runs of one prompt_index. `kl`: of each token against the reference at sampling, ℓ −
// r, if the algorithm takes it from the reward; else empty.
RowNumbers token_advantages(std::span<const Rollout> rollouts, const Algorithm& algorithm,
                            const std::vector<bool>& learned, const RowNumbers& kl);

// Rollouts that go through a training pass together, by their index.
using Leaf = std::vector<size_t>;
// The longest first, each leaf filled up to `leaf_tokens`; one longer answer is alone.
std::vector<Leaf> pack_leaves(std::span<const Rollout> rollouts, std::span<const size_t> members,
                              int64_t leaf_tokens);
// In their order, so that answers to one prompt are neighbours; each leaf is filled up to
// `leaf_tokens`, where a prompt counts once.
std::vector<Leaf> pack_groups(std::span<const Rollout> rollouts, std::span<const size_t> members,
                              int64_t leaf_tokens);
// Members of each minibatch: whole groups, as evenly as they go.
std::vector<std::vector<size_t>> split_minibatches(std::span<const Rollout> rollouts,
                                                   const std::vector<bool>& learned,
                                                   int64_t minibatches);

// The policy that KL is measured against: a copy of the trained weights.
class Reference {
 public:
  // Becomes what the policy is now.
  void refresh(TrainableModel& model);
  bool empty() const { return values_.size() == 0; }
  std::span<float> values() { return values_.span(); }
  // Exchanges policy and reference; a second time undoes it.
  void swap(TrainableModel& model);

 private:
  Buffer<float> values_;
};

// What the updates of a step tell.
struct LearnFigures {
  ObjectiveSums first;   // of the first update: before the weights moved
  ObjectiveSums all;     // of all
  double entropy = 0.0;  // mean over tokens, first update
  double gradient_norm = 0.0, load_imbalance = 0.0;  // means over updates
  int64_t updates = 0, skipped = 0;                  // skipped: the gradient was not finite
};

// Trains on one step's rollouts. `reference` is empty if the algorithm needs none. The first update
// fails, before anything is changed, if any log-probability is not exactly the rollout's.
Result<LearnFigures> learn(TrainRun& run, std::span<const Rollout> rollouts,
                           const RlOptions& options, double rate, Reference& reference);

}  // namespace ponder
