#include "train/trainer.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ops/adamw/adamw.hpp"
#include "train/recipe.hpp"

namespace ponder {
namespace {

constexpr int64_t kPiece = 1 << 16;  // numbers that one task of a loop takes

// body(begin, end) for pieces of [0, count), on all threads.
template <typename Body>
void for_pieces(const Context& context, int64_t count, Body&& body) {
  context.pool->run((count + kPiece - 1) / kPiece, [&](int64_t piece, int) {
    body(piece * kPiece, std::min(count, (piece + 1) * kPiece));
  });
}

// Partial sums that are held at once when `lanes` are added pairwise.
int64_t partial_sums(int64_t lanes) {
  return std::bit_width(static_cast<uint64_t>(lanes));  // lanes a power of two: log₂ + 1
}

void add_to(const Context& context, std::span<float> sum, std::span<const float> other) {
  for_pieces(context, static_cast<int64_t>(sum.size()), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sum[i] += other[i];
  });
}

void clear(const Context& context, std::span<float> values) {
  for_pieces(context, static_cast<int64_t>(values.size()), [&](int64_t begin, int64_t end) {
    std::fill(values.begin() + begin, values.begin() + end, 0.0f);
  });
}

}  // namespace

Result<OptimizerOptions> read_optimizer(const Recipe& optimizer) {
  OptimizerOptions options;
  const NumberRange below_one{.least = 0, .most = 0.9999999};
  options.beta1 = PONDER_TRY(optimizer.number("beta1", options.beta1, below_one));
  options.beta2 = PONDER_TRY(optimizer.number("beta2", options.beta2, below_one));
  options.epsilon = PONDER_TRY(optimizer.number("epsilon", options.epsilon, {1e-30, 1}));
  options.weight_decay =
      PONDER_TRY(optimizer.number("weight_decay", options.weight_decay, {0, 10}));
  options.clip = PONDER_TRY(optimizer.number("clip", options.clip, {0, 1e9}));
  options.router_speed = PONDER_TRY(optimizer.number("router_speed", 0.0, {0, 1}));
  options.lanes = PONDER_TRY(optimizer.integer("lanes", options.lanes, {1, 1024}));
  if (!std::has_single_bit(static_cast<uint64_t>(options.lanes)))
    return Failure{{.what = "must be 1, 2, 4, 8 …", .where = optimizer.where("lanes")}};
  return options;
}

Trainer::Trainer(const Context& context, TrainableModel& model, Communicator& ranks,
                 const OptimizerOptions& options)
    : context_(context), model_(model), ranks_(ranks), options_(options) {}

uint64_t Trainer::memory_bytes(int64_t gradient_size, int64_t lanes, int ranks) {
  const int64_t sums = partial_sums(std::max<int64_t>(1, lanes / ranks));
  return static_cast<uint64_t>(gradient_size) * sizeof(float) * static_cast<uint64_t>(sums + 2);
}

Result<std::unique_ptr<Trainer>> Trainer::create(const Context& context, TrainableModel& model,
                                                 Communicator& ranks,
                                                 const OptimizerOptions& options) {
  if (options.lanes < ranks.size())
    return Failure{{.what = std::to_string(ranks.size()) + " ranks share " +
                            std::to_string(options.lanes) + " lanes of gradients",
                    .where = "optimizer.lanes",
                    .mend = "start fewer ranks, or set more lanes (other bits follow)"}};
  std::unique_ptr<Trainer> trainer(new Trainer(context, model, ranks, options));
  const auto size = static_cast<size_t>(model.gradient_size());
  const Failure no_memory{{.what = "there is not enough memory for gradients and moments",
                           .where = "[optimizer]",
                           .mend = "train with [lora], or a smaller model"}};
  for (int64_t i = 0; i < partial_sums(trainer->lanes_here()); ++i) {
    trainer->sums_.push_back(Buffer<float>::try_create(size));
    if (trainer->sums_.back().size() != size) return no_memory;
  }
  trainer->moment1_ = Buffer<float>::try_create(size);
  trainer->moment2_ = Buffer<float>::try_create(size);
  if (trainer->moment1_.size() != size || trainer->moment2_.size() != size) return no_memory;
  for (Buffer<float>& sum : trainer->sums_) prefer_huge_pages(sum.data(), size * sizeof(float));
  prefer_huge_pages(trainer->moment1_.data(), size * sizeof(float));
  prefer_huge_pages(trainer->moment2_.data(), size * sizeof(float));
  return trainer;
}

bool Trainer::owns(int64_t leaf) const {
  return leaf % options_.lanes / lanes_here() == ranks_.rank();
}

Result<void> Trainer::run_leaf(int64_t leaf, std::span<float> gradients, const LeafWork& work,
                               Tally& tally) {
  LeafResult result = PONDER_TRY(work(leaf, gradients));
  tally.sums[static_cast<size_t>(leaf)] = std::move(result.sums);
  auto& counts = tally.expert_tokens;
  if (counts.size() < result.stats.expert_tokens.size())
    counts.resize(result.stats.expert_tokens.size());
  for (size_t layer = 0; layer < result.stats.expert_tokens.size(); ++layer) {
    const std::vector<int64_t>& of_leaf = result.stats.expert_tokens[layer];
    if (counts[layer].size() < of_leaf.size()) counts[layer].resize(of_leaf.size());
    for (size_t e = 0; e < of_leaf.size(); ++e) counts[layer][e] += of_leaf[e];
  }
  return {};
}

// A binary counter: as soon as two sums of equally many lanes are there, they become one.
Result<void> Trainer::sum_lanes(int64_t leaves, const LeafWork& work, Tally& tally) {
  const int64_t first = ranks_.rank() * lanes_here();
  size_t held = 0;
  for (int64_t lane = 0; lane < lanes_here(); ++lane) {
    const std::span<float> sum = sums_[held++].span();
    clear(context_, sum);
    for (int64_t leaf = first + lane; leaf < leaves; leaf += options_.lanes)
      PONDER_TRY(run_leaf(leaf, sum, work, tally));
    for (int64_t full = lane + 1; full % 2 == 0; full /= 2) {
      --held;
      add_to(context_, sums_[held - 1].span(), sums_[held].span());
    }
  }
  return {};
}

// All ranks go on, or none does.
Result<void> Trainer::agree(const Result<void>& done) {
  const bool stopped = !done.ok() && done.error().what == "stopped";
  const int64_t worst = ranks_.largest(done.ok() ? 0 : stopped ? 1 : 2);
  if (worst == 0) return {};
  if (!done.ok() && (worst == 2) != stopped) return Failure{done.error()};
  if (worst == 1) return Failure{{.what = "stopped"}};
  return Failure{{.what = "another rank has failed", .where = "mpirun"}};
}

// Each number of the table below comes from one rank, zeros from the others: nothing is rounded.
std::vector<double> Trainer::total(Tally& tally) {
  int64_t width = 0;
  for (const std::vector<double>& sums : tally.sums)
    width = std::max(width, static_cast<int64_t>(sums.size()));
  width = ranks_.largest(width);
  const auto columns = static_cast<size_t>(width);
  std::vector<double> table(tally.sums.size() * columns);
  for (size_t leaf = 0; leaf < tally.sums.size(); ++leaf)
    std::copy(tally.sums[leaf].begin(), tally.sums[leaf].end(),
              table.begin() + static_cast<int64_t>(leaf * columns));
  ranks_.sum(std::span(table));
  std::vector<double> result(columns);
  for (size_t i = 0; i < table.size(); ++i) result[i % columns] += table[i];
  return result;
}

Result<UpdateResult> Trainer::update(int64_t leaves, double rate, const LeafWork& work) {
  Tally tally{.sums = std::vector<std::vector<double>>(static_cast<size_t>(leaves))};
  PONDER_TRY(agree(sum_lanes(leaves, work, tally)));
  ranks_.sum(sums_[0].span());
  UpdateResult result{.sums = total(tally)};
  result.gradient_norm = std::sqrt(sum_of_squares(context_, sums_[0].span()));
  result.applied = std::isfinite(result.gradient_norm);
  if (!result.applied) return result;
  apply(rate, clip_factor(result.gradient_norm, options_.clip));
  result.load_imbalance = balance_experts(tally);
  return result;
}

Result<std::vector<double>> Trainer::measure(int64_t leaves, const LeafWork& work) {
  Tally tally{.sums = std::vector<std::vector<double>>(static_cast<size_t>(leaves))};
  const auto measured = [&]() -> Result<void> {
    for (int64_t leaf = 0; leaf < leaves; ++leaf)
      if (owns(leaf)) PONDER_TRY(run_leaf(leaf, {}, work, tally));
    return {};
  };
  PONDER_TRY(agree(measured()));
  return total(tally);
}

void Trainer::apply(double rate, float clip) {
  ++updates_;
  for (ParamSlot& slot : model_.slots()) {
    if (!slot.trained) continue;
    const double decay = slot.decays ? options_.weight_decay : 0.0;
    adamw(context_, {.options = {.learning_rate = static_cast<float>(rate),
                                 .beta1 = static_cast<float>(options_.beta1),
                                 .beta2 = static_cast<float>(options_.beta2),
                                 .epsilon = static_cast<float>(options_.epsilon),
                                 .weight_decay = static_cast<float>(decay)},
                     .values = slot.values.data(),
                     .gradients = sums_[0].data() + slot.offset,
                     .m = moment1_.data() + slot.offset,
                     .v = moment2_.data() + slot.offset,
                     .count = static_cast<int64_t>(slot.values.size()),
                     .step = updates_,
                     .clip = clip});
  }
}

double Trainer::balance_experts(Tally& tally) {
  auto& counts = tally.expert_tokens;
  counts.resize(static_cast<size_t>(ranks_.largest(static_cast<int64_t>(counts.size()))));
  double worst = 0.0;
  for (size_t layer = 0; layer < counts.size(); ++layer) {
    std::vector<int64_t>& loads = counts[layer];
    loads.resize(static_cast<size_t>(ranks_.largest(static_cast<int64_t>(loads.size()))));
    if (loads.empty()) continue;
    ranks_.sum(std::span(loads));
    int64_t all = 0;
    for (const int64_t load : loads) all += load;
    if (all == 0) continue;
    const double mean = static_cast<double>(all) / static_cast<double>(loads.size());
    const int64_t most = *std::max_element(loads.begin(), loads.end());
    worst = std::max(worst, static_cast<double>(most) / mean);
    const std::span<float> bias = model_.router_bias(static_cast<int64_t>(layer));
    const auto speed = static_cast<float>(options_.router_speed);
    for (size_t e = 0; e < std::min(bias.size(), loads.size()); ++e) {
      const auto load = static_cast<double>(loads[e]);
      if (load < mean) bias[e] += speed;
      if (load > mean) bias[e] -= speed;
    }
  }
  return worst;
}

}  // namespace ponder
