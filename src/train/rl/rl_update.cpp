#include "train/rl/rl_update.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>

#include "train/rl/sampler.hpp"

namespace ponder {
namespace {

// What leaves add up.
enum Sum { kLoss, kKl, kChange, kRatioError, kClipped, kRows, kEntropy, kSumCount };

ObjectiveSums objective_sums(std::span<const double> sums) {
  return {.loss = sums[kLoss],
          .kl = sums[kKl],
          .change = sums[kChange],
          .ratio_error = sums[kRatioError],
          .clipped = static_cast<int64_t>(sums[kClipped]),
          .rows = static_cast<int64_t>(sums[kRows])};
}

int64_t tokens_of(const Rollout& rollout) {
  return std::ssize(rollout.prompt) + std::ssize(rollout.answer.tokens);
}

// `before`, then the answer.
std::vector<int32_t> joined(std::span<const int32_t> before, const Rollout& rollout) {
  std::vector<int32_t> tokens(before.begin(), before.end());
  tokens.insert(tokens.end(), rollout.answer.tokens.begin(), rollout.answer.tokens.end());
  return tokens;
}

// What of a leaf goes through a training pass.
struct LeafSequences {
  std::deque<std::vector<int32_t>> tokens;  // that sequences refer to
  std::vector<TrainSequence> sequences;
  std::vector<size_t> first_rows;  // of each rollout's answer

  void add(std::vector<int32_t> some, int64_t prefix) {
    tokens.push_back(std::move(some));
    sequences.push_back({.tokens = tokens.back(), .prefix = prefix});
    rows_ += tokens.back().size() - 1;
  }
  // An answer with its prompt, or, if that is shared, after the prompt's own sequence.
  void add(const Rollout& rollout, bool shared) {
    const std::span<const int32_t> prompt = rollout.prompt;
    if (!shared || prompt.size() < 2) {
      first_rows.push_back(rows_ + prompt.size() - 1);
      add(joined(prompt, rollout), -1);
      return;
    }
    if (prompt_ < 0 ||
        !std::ranges::equal(sequences[static_cast<size_t>(prompt_)].tokens, prompt)) {
      prompt_ = std::ssize(sequences);
      add({prompt.begin(), prompt.end()}, -1);
    }
    first_rows.push_back(rows_);
    add(joined(prompt.last(1), rollout), prompt_);
  }

 private:
  size_t rows_ = 0;
  int64_t prompt_ = -1;  // the last prompt's sequence
};

// One step's answers on their way through the passes.
class Learner {
 public:
  Learner(TrainRun& run, std::span<const Rollout> rollouts, const RlOptions& options,
          Reference& reference)
      : run_(run), rollouts_(rollouts), options_(options), reference_(reference) {}

  Result<LearnFigures> learn(double rate);

 private:
  struct Minibatch {
    std::vector<Leaf> leaves;
    std::vector<double> weights;  // of each rollout's rows, by its index
  };

  void plan();
  Result<void> score_reference();
  Result<void> exchange_reference();
  // Scores of the answers' rows in a leaf, and what is done with them.
  using RowVisitor = std::function<void(size_t rollout, std::span<const float> log_probability,
                                        std::span<const float> entropy, std::span<float> gradient)>;
  Result<PassStats> pass(const Leaf& leaf, const RowVisitor& visit, std::span<float> gradients);
  Result<LeafResult> learn_leaf(const Minibatch& minibatch, const Leaf& leaf, bool first,
                                std::span<float> gradients);

  TrainRun& run_;
  std::span<const Rollout> rollouts_;
  const RlOptions& options_;
  Reference& reference_;
  std::vector<bool> learned_;
  std::vector<Minibatch> minibatches_;
  RowNumbers advantages_;
  std::vector<std::vector<float>> references_;  // of each rollout's rows; of own leaves at first
};

void Learner::plan() {
  learned_ = learnable(rollouts_, options_.learning.mask_truncated);
  for (const auto& members :
       split_minibatches(rollouts_, learned_, options_.learning.minibatches)) {
    const int64_t tokens = options_.learning.leaf_tokens;
    Minibatch minibatch{.leaves = options_.learning.share_prompts
                                      ? pack_groups(rollouts_, members, tokens)
                                      : pack_leaves(rollouts_, members, tokens),
                        .weights = std::vector<double>(rollouts_.size())};
    std::vector<int64_t> rows;
    for (const size_t member : members) rows.push_back(std::ssize(rollouts_[member].answer.tokens));
    const ObjectiveOptions& objective = options_.algorithm.objective;
    const auto weights = row_weights(rows, objective.aggregation, objective.constant_length);
    for (size_t i = 0; i < members.size(); ++i) minibatch.weights[members[i]] = weights[i];
    if (!minibatch.leaves.empty()) minibatches_.push_back(std::move(minibatch));
  }
}

Result<PassStats> Learner::pass(const Leaf& leaf, const RowVisitor& visit,
                                std::span<float> gradients) {
  LeafSequences parts;
  for (const size_t index : leaf) parts.add(rollouts_[index], options_.learning.share_prompts);
  const auto loss = [&](const RowScores& scores, std::span<float> gradient) {
    std::fill(gradient.begin(), gradient.end(), 0.0f);
    for (size_t i = 0; i < leaf.size(); ++i) {
      const size_t begin = parts.first_rows[i];
      const size_t count = rollouts_[leaf[i]].answer.tokens.size();
      visit(leaf[i], scores.log_probability.subspan(begin, count),
            scores.entropy.subspan(begin, count), gradient.subspan(begin, count));
    }
  };
  PassOptions options;
  options.temperature = static_cast<float>(options_.sampling.temperature);
  options.recompute = options_.learning.recompute;
  Trainer& trainer = run_.trainer();
  return train_pass(trainer.context(), trainer.model(), parts.sequences, options, loss, gradients);
}

// The reference's log-probabilities in the leaves that this rank owns.
Result<void> Learner::score_reference() {
  references_.resize(rollouts_.size());
  if (reference_.empty()) return {};
  Trainer& trainer = run_.trainer();
  reference_.swap(trainer.model());
  Result<void> done;
  for (const Minibatch& minibatch : minibatches_) {
    const auto leaves = std::ssize(minibatch.leaves);
    for (int64_t leaf = 0; leaf < leaves && done.ok(); ++leaf) {
      if (!trainer.owns(leaf)) continue;
      run_.progress("reference", leaf, leaves);
      const auto keep = [&](size_t index, std::span<const float> log_probability,
                            std::span<const float>, std::span<float>) {
        references_[index].assign(log_probability.begin(), log_probability.end());
      };
      const auto passed = pass(minibatch.leaves[static_cast<size_t>(leaf)], keep, {});
      if (!passed.ok()) done = Failure{passed.error()};
    }
  }
  reference_.swap(trainer.model());
  PONDER_TRY(agreed(trainer.ranks(), done));
  return options_.algorithm.kl_in_reward > 0.0 ? exchange_reference() : Result<void>();
}

// Every rank gets the reference's rows of all answers: what is normalised over the batch needs
// them.
Result<void> Learner::exchange_reference() {
  Communicator& ranks = run_.ranks();
  if (ranks.size() == 1) return {};
  std::string own;
  for (size_t index = 0; index < references_.size(); ++index) {
    if (references_[index].empty()) continue;
    const uint64_t number = index;
    own.append(reinterpret_cast<const char*>(&number), sizeof number);
    own.append(reinterpret_cast<const char*>(references_[index].data()),
               references_[index].size() * sizeof(float));
  }
  for (const std::string& bytes : ranks.gather(own)) {
    for (size_t at = 0; at < bytes.size();) {
      uint64_t number = 0;
      PONDER_CHECK(bytes.size() - at >= sizeof number);
      std::memcpy(&number, bytes.data() + at, sizeof number);
      at += sizeof number;
      PONDER_CHECK(number < rollouts_.size());
      auto& rows = references_[number];
      rows.resize(rollouts_[number].answer.tokens.size());
      PONDER_CHECK(bytes.size() - at >= rows.size() * sizeof(float));
      std::memcpy(rows.data(), bytes.data() + at, rows.size() * sizeof(float));
      at += rows.size() * sizeof(float);
    }
  }
  return {};
}

Result<LeafResult> Learner::learn_leaf(const Minibatch& minibatch, const Leaf& leaf, bool first,
                                       std::span<float> gradients) {
  ObjectiveSums sums;
  double entropy = 0.0;
  std::optional<Error> wrong;
  const auto visit = [&](size_t index, std::span<const float> now, std::span<const float> entropies,
                         std::span<float> gradient) {
    const Rollout& rollout = rollouts_[index];
    const SampledRows rows{.now = now,
                           .sampled = rollout.answer.log_probability,
                           .reference = references_[index],
                           .advantage = advantages_[index],
                           .weight = minibatch.weights[index]};
    const ObjectiveSums own = objective(options_.algorithm.objective, rows, gradient);
    for (const float value : entropies) entropy += static_cast<double>(value);
    if (first && own.ratio_error != 0.0 && !wrong)
      wrong = Error{.what = "the trainer finds an answer's tokens by up to " +
                            std::to_string(own.ratio_error) +
                            " more or less likely than the rollout did, where no difference may be",
                    .where = "prompt " + std::to_string(rollout.prompt_index) + ", sample " +
                             std::to_string(rollout.sample),
                    .mend = "this is a bug in Ponder; the run can be resumed from its checkpoint"};
    sums.add(own);
  };
  if (run_.stopping()) return Failure{{.what = "stopped"}};
  LeafResult result;
  result.sums.resize(kSumCount);
  result.stats = PONDER_TRY(pass(leaf, visit, gradients));
  if (wrong) return Failure{std::move(*wrong)};
  result.sums[kLoss] = sums.loss;
  result.sums[kKl] = sums.kl;
  result.sums[kChange] = sums.change;
  result.sums[kRatioError] = sums.ratio_error;
  result.sums[kClipped] = static_cast<double>(sums.clipped);
  result.sums[kRows] = static_cast<double>(sums.rows);
  result.sums[kEntropy] = entropy;
  return result;
}

Result<LearnFigures> Learner::learn(double rate) {
  plan();
  PONDER_TRY(score_reference());
  RowNumbers kl;
  if (options_.algorithm.kl_in_reward > 0.0) {
    kl.resize(rollouts_.size());
    for (size_t i = 0; i < rollouts_.size(); ++i)
      for (size_t row = 0; row < references_[i].size(); ++row)
        kl[i].push_back(static_cast<double>(rollouts_[i].answer.log_probability[row]) -
                        static_cast<double>(references_[i][row]));
  }
  advantages_ = token_advantages(rollouts_, options_.algorithm, learned_, kl);
  LearnFigures figures;
  for (int64_t epoch = 0; epoch < options_.learning.epochs; ++epoch) {
    for (const Minibatch& minibatch : minibatches_) {
      const bool first = figures.updates == 0;
      const auto leaves = std::ssize(minibatch.leaves);
      const auto work = [&](int64_t leaf, std::span<float> gradients) {
        run_.progress("learning", leaf, leaves);
        return learn_leaf(minibatch, minibatch.leaves[static_cast<size_t>(leaf)], first, gradients);
      };
      const UpdateResult update = PONDER_TRY(run_.trainer().update(leaves, rate, work));
      const ObjectiveSums sums = objective_sums(update.sums);
      if (first) {
        figures.first = sums;
        figures.entropy = update.sums[kEntropy] / std::max(1.0, static_cast<double>(sums.rows));
      }
      figures.all.add(sums);
      figures.gradient_norm += update.gradient_norm;
      figures.load_imbalance += update.load_imbalance;
      figures.skipped += update.applied ? 0 : 1;
      ++figures.updates;
    }
  }
  const double updates = static_cast<double>(std::max<int64_t>(figures.updates, 1));
  figures.gradient_norm /= updates;
  figures.load_imbalance /= updates;
  return figures;
}

}  // namespace

std::vector<bool> learnable(std::span<const Rollout> rollouts, bool mask_truncated) {
  std::vector<bool> learned;
  for (const Rollout& rollout : rollouts)
    learned.push_back(rollout.reward.total.has_value() && !rollout.answer.tokens.empty() &&
                      (rollout.answer.ended || !mask_truncated));
  return learned;
}

RowNumbers token_advantages(std::span<const Rollout> rollouts, const Algorithm& algorithm,
                            const std::vector<bool>& learned, const RowNumbers& kl) {
  RowNumbers advantages(rollouts.size());
  for (size_t begin = 0; begin < rollouts.size();) {
    std::vector<std::optional<double>> rewards;
    size_t end = begin;
    for (; end < rollouts.size() && rollouts[end].prompt_index == rollouts[begin].prompt_index;
         ++end)
      rewards.push_back(rollouts[end].reward.total);
    const auto group = group_advantages(rewards, algorithm.baseline);
    for (size_t i = begin; i < end; ++i) {
      if (!learned[i]) continue;
      const double value = group[i - begin];
      advantages[i].assign(rollouts[i].answer.tokens.size(), value);
      if (algorithm.kl_in_reward > 0.0)
        advantages[i] = returns_with_kl(value, kl[i], algorithm.kl_in_reward);
    }
    begin = end;
  }
  if (algorithm.baseline == Baseline::kBatch) normalise(advantages);
  return advantages;
}

std::vector<Leaf> pack_leaves(std::span<const Rollout> rollouts, std::span<const size_t> members,
                              int64_t leaf_tokens) {
  std::vector<size_t> order(members.begin(), members.end());
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return tokens_of(rollouts[a]) > tokens_of(rollouts[b]);
  });
  std::vector<Leaf> leaves;
  int64_t left = 0;
  for (const size_t index : order) {
    const int64_t tokens = tokens_of(rollouts[index]);
    if (leaves.empty() || tokens > left) {
      leaves.emplace_back();
      left = leaf_tokens;
    }
    leaves.back().push_back(index);
    left -= tokens;
  }
  return leaves;
}

std::vector<Leaf> pack_groups(std::span<const Rollout> rollouts, std::span<const size_t> members,
                              int64_t leaf_tokens) {
  std::vector<Leaf> leaves;
  int64_t left = 0, prompt = -1;
  for (const size_t index : members) {
    const Rollout& rollout = rollouts[index];
    const int64_t own = std::ssize(rollout.answer.tokens);
    const int64_t more = rollout.prompt_index == prompt ? own : tokens_of(rollout);
    if (leaves.empty() || more > left) {
      leaves.emplace_back();
      left = leaf_tokens - tokens_of(rollout);
    } else {
      left -= more;
    }
    prompt = rollout.prompt_index;
    leaves.back().push_back(index);
  }
  return leaves;
}

std::vector<std::vector<size_t>> split_minibatches(std::span<const Rollout> rollouts,
                                                   const std::vector<bool>& learned,
                                                   int64_t minibatches) {
  int64_t groups = 0;
  for (size_t i = 0; i < rollouts.size(); ++i)
    groups += i == 0 || rollouts[i].prompt_index != rollouts[i - 1].prompt_index ? 1 : 0;
  std::vector<std::vector<size_t>> parts(static_cast<size_t>(minibatches));
  int64_t group = -1;
  for (size_t i = 0; i < rollouts.size(); ++i) {
    group += i == 0 || rollouts[i].prompt_index != rollouts[i - 1].prompt_index ? 1 : 0;
    if (learned[i]) parts[static_cast<size_t>(group * minibatches / groups)].push_back(i);
  }
  std::erase_if(parts, [](const auto& part) { return part.empty(); });
  return parts;
}

void Reference::refresh(TrainableModel& model) {
  values_ = Buffer<float>(static_cast<size_t>(model.gradient_size()));
  for (const ParamSlot& slot : model.slots())
    if (slot.trained)
      std::copy(slot.values.begin(), slot.values.end(), values_.data() + slot.offset);
}

void Reference::swap(TrainableModel& model) {
  for (const ParamSlot& slot : model.slots())
    if (slot.trained)
      std::swap_ranges(slot.values.begin(), slot.values.end(), values_.data() + slot.offset);
}

Result<LearnFigures> learn(TrainRun& run, std::span<const Rollout> rollouts,
                           const RlOptions& options, double rate, Reference& reference) {
  return Learner(run, rollouts, options, reference).learn(rate);
}

}  // namespace ponder
