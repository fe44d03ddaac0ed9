// One update of the weights after another: gradients of many groups of sequences, summed along a
// fixed tree, clipped, and AdamW. What every way of training shares.
//
// A group of sequences (a leaf) is one call of train_pass. Leaf i belongs to lane i mod `lanes`; a
// lane adds its leaves in ascending order, and lanes are summed pairwise: 0 + 1, 2 + 3, then these.
// A rank owns neighbouring lanes, and the ranks go on with the tree. So the bits depend on the
// recipe, which fixes leaves and lanes, and not on threads or ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "core/buffer.hpp"
#include "model/trainable.hpp"
#include "train/communicator.hpp"

namespace ponder {

class Recipe;

struct OptimizerOptions {
  double beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;
  double weight_decay = 0.1;
  double clip = 1.0;          // of the global norm; 0: none
  double router_speed = 0.0;  // γ of the routers' bias (model-spec §9)
  int64_t lanes = 4;          // a power of two, ≥ the number of ranks
};

// The keys beta1, beta2, epsilon, weight_decay, clip, router_speed and lanes of [optimizer].
Result<OptimizerOptions> read_optimizer(const Recipe& optimizer);

// What one leaf tells: numbers that are added up over all leaves, in their order. Every leaf of a
// call has as many.
struct LeafResult {
  std::vector<double> sums;
  PassStats stats = {};
};

// Computes a leaf. `gradients`: what train_pass adds to; empty if only figures are wanted.
using LeafWork = std::function<Result<LeafResult>(int64_t leaf, std::span<float> gradients)>;

struct UpdateResult {
  std::vector<double> sums;
  double gradient_norm = 0.0;   // before clipping
  bool applied = true;          // false: the norm is not finite, nothing was changed
  double load_imbalance = 0.0;  // of experts: most loaded / mean, worst layer; 0 without experts
};

class Trainer {
 public:
  // `model` and `ranks` outlive the trainer.
  static Result<std::unique_ptr<Trainer>> create(const Context& context, TrainableModel& model,
                                                 Communicator& ranks,
                                                 const OptimizerOptions& options);

  const Context& context() const { return context_; }
  TrainableModel& model() { return model_; }
  Communicator& ranks() { return ranks_; }
  const OptimizerOptions& options() const { return options_; }
  // Of update(): so that work which a leaf needs first can be done where the leaf will be.
  bool owns(int64_t leaf) const;

  // One step of the optimiser over leaves 0 … leaves − 1, with this learning rate. The same result
  // on all ranks.
  Result<UpdateResult> update(int64_t leaves, double rate, const LeafWork& work);
  // Figures only, for losses on held-out data.
  Result<std::vector<double>> measure(int64_t leaves, const LeafWork& work);

  // What a checkpoint holds. Moments have the layout of gradients.
  int64_t updates() const { return updates_; }
  std::span<float> first_moment() { return moment1_.span(); }
  std::span<float> second_moment() { return moment2_.span(); }
  void set_updates(int64_t updates) { updates_ = updates; }

  // Bytes of gradients and moments that a trainer of so many parameters takes on one of `ranks`.
  static uint64_t memory_bytes(int64_t gradient_size, int64_t lanes, int ranks);

 private:
  Trainer(const Context& context, TrainableModel& model, Communicator& ranks,
          const OptimizerOptions& options);

  // What leaves tell, until the ranks know it of all.
  struct Tally {
    std::vector<std::vector<double>> sums = {};  // leaf → figures; empty: not this rank's
    std::vector<std::vector<int64_t>> expert_tokens = {};  // layer → (E)
  };

  Result<void> sum_lanes(int64_t leaves, const LeafWork& work, Tally& tally);
  Result<void> run_leaf(int64_t leaf, std::span<float> gradients, const LeafWork& work,
                        Tally& tally);
  Result<void> agree(const Result<void>& done);
  std::vector<double> total(Tally& tally);
  void apply(double rate, float clip);
  double balance_experts(Tally& tally);
  int64_t lanes_here() const { return options_.lanes / ranks_.size(); }

  Context context_;
  TrainableModel& model_;
  Communicator& ranks_;
  OptimizerOptions options_;
  std::vector<Buffer<float>> sums_;  // [0] ends as the gradient; others are partial sums
  Buffer<float> moment1_, moment2_;
  int64_t updates_ = 0;
};

}  // namespace ponder
