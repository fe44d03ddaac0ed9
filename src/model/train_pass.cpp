// train_pass(): the layers forward, the loss, and back. R rows, H width.
#include "model/train_pass.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <string>

#include "base/checked_math.hpp"
#include "model/block_backward.hpp"
#include "ops/gate/gate.hpp"

namespace ponder {
namespace {

// Positions of the sequence, those of its prefix included.
int64_t positions_of(std::span<const TrainSequence> sequences, const TrainSequence& s) {
  const int64_t own = std::ssize(s.tokens) - 1;
  if (s.prefix < 0) return own;
  return own + std::ssize(sequences[static_cast<size_t>(s.prefix)].tokens) - 1;
}

Result<void> check(const Config& config, std::span<const TrainSequence> sequences,
                   const PassOptions& options) {
  int64_t rows = 0;
  for (int64_t s = 0; s < std::ssize(sequences); ++s) {
    const TrainSequence& sequence = sequences[static_cast<size_t>(s)];
    if (sequence.prefix < 0) continue;
    PONDER_CHECK(sequence.prefix < s && options.mtp_weight == 0.0f);
    const TrainSequence& prefix = sequences[static_cast<size_t>(sequence.prefix)];
    PONDER_CHECK(prefix.prefix < 0 && !prefix.tokens.empty() && !sequence.tokens.empty() &&
                 prefix.tokens.back() == sequence.tokens.front());
  }
  for (size_t s = 0; s < sequences.size(); ++s) {
    const std::span<const int32_t> tokens = sequences[s].tokens;
    const std::string where = "sequence " + std::to_string(s);
    if (tokens.size() < 2 || positions_of(sequences, sequences[s]) > config.context) {
      return Failure{{.what = "has " + std::to_string(tokens.size()) + " tokens; 2 to " +
                              std::to_string(config.context + 1) + " are possible",
                      .where = where,
                      .mend = "cut it, or leave it out"}};
    }
    for (const int32_t token : tokens) {
      if (token >= 0 && token < config.vocab) continue;
      return Failure{{.what = "token " + std::to_string(token) + " is not in the vocabulary of " +
                              std::to_string(config.vocab),
                      .where = where,
                      .mend = "use the tokenizer that belongs to this model"}};
    }
    rows += std::ssize(tokens) - 1;
  }
  PONDER_CHECK(options.mtp_row_weight.empty() || std::ssize(options.mtp_row_weight) == rows);
  PONDER_CHECK(options.temperature > 0.0f);
  return {};
}

// Counts the experts that a pass chooses, and sums the balance loss if it is wanted.
class RouterStats {
 public:
  RouterStats(const Model& model, bool balance, PassStats& stats)
      : model_(model), balance_(balance), stats_(stats) {
    const Config& config = model.config();
    if (!config.moe) return;
    stats.expert_tokens.resize(model.params().layers.size() + model.params().mtp.size());
    for (size_t l = 0; l < stats.expert_tokens.size(); ++l) {
      if (config.is_moe_layer(static_cast<int64_t>(l)))
        stats.expert_tokens[l].assign(static_cast<size_t>(config.moe->gate.experts), 0);
    }
  }

  // A tap for a pass over these segments.
  Tap tap(std::span<const Segment> segments) {
    return [this, segments](const TapValues& seen) {
      if (seen.point == TapPoint::kRouterLogits)
        logits_.assign(seen.values, seen.values + seen.rows * seen.width);
      if (seen.point == TapPoint::kRouterExperts) take(seen, segments);
    };
  }

 private:
  void take(const TapValues& seen, std::span<const Segment> segments) {
    const MoeConfig& m = *model_.config().moe;
    std::vector<int64_t>& counts = stats_.expert_tokens[static_cast<size_t>(seen.layer)];
    for (int64_t i = 0; i < seen.rows * seen.width; ++i)
      ++counts[static_cast<size_t>(seen.indices[i])];
    if (!balance_) return;
    for (const Segment& segment : segments) {
      GateArgs gate{.config = &m.gate,
                    .logits = logits_.data() + segment.row * m.gate.experts,
                    .tokens = segment.tokens};
      gate.experts = const_cast<int32_t*>(seen.indices) + segment.row * seen.width;  // only read
      stats_.balance_loss += balance_loss(gate);
    }
  }

  const Model& model_;
  bool balance_;
  PassStats& stats_;
  std::vector<float> logits_;  // of the layer at hand
};

class TrainPass {
 public:
  TrainPass(const Context& context, const TrainableModel& trainable, const PassOptions& options,
            std::span<float> gradients)
      : context_(context),
        model_(trainable.model()),
        config_(model_.config()),
        options_(options),
        router_(model_, options.balance_weight != 0.0f, stats_) {
    if (!gradients.empty()) gradients_ = trainable.bind(gradients);
  }

  Result<PassStats> run(std::span<const TrainSequence> sequences, const RowLoss& loss) {
    PONDER_TRY(collect(sequences));
    const Arena::Scope scope(*context_.arena);
    const int64_t rows = batch_.rows(), count = rows * config_.hidden;
    PONDER_TRY(forward());
    float* normed = context_.arena->take<float>(count);  // (R, H)
    normalise(context_, config_, model_.params().final_norm, inputs_.back(), rows, normed);

    OutputHead head(context_, model_, batch_.targets, options_.temperature, normed);
    float* log_probability = context_.arena->take<float>(rows);
    float* entropy = context_.arena->take<float>(rows);
    float* gradient = context_.arena->take<float>(rows);
    head.score(log_probability, entropy);
    const auto size = static_cast<size_t>(rows);
    std::fill_n(gradient, size, 0.0f);
    loss({{log_probability, size}, {entropy, size}}, {gradient, size});

    float* d = gradients_ ? context_.arena->take<float>(count) : nullptr;  // (R, H)
    if (gradients_) head.backward(gradient, gradients_->output, d);
    run_mtp(normed, d);
    if (gradients_) PONDER_TRY(backward(d));
    return std::move(stats_);
  }

 private:
  bool keeps_all() const { return gradients_ && !options_.recompute; }
  int64_t cache_layer(int64_t layer) const { return keeps_all() ? layer : 0; }

  // The rows, with a cache for each sequence. A layer that is computed again needs no cache of
  // its own: it writes what it reads.
  Result<void> collect(std::span<const TrainSequence> sequences) {
    int64_t pages = 0;
    for (const TrainSequence& s : sequences) pages += ceil_div(positions_of(sequences, s), kKvPage);
    const int64_t layers = keeps_all() ? config_.layers + (model_.has_mtp() ? 1 : 0) : 1;
    auto pool = PONDER_TRY(
        KvPool::create(config_, {.pages = pages, .dtype = DType::kF32, .layers = layers}));
    caches_.reserve(sequences.size());  // segments point into it
    for (const TrainSequence& s : sequences) {
      const size_t rows = s.tokens.size() - 1;
      const int64_t positions = positions_of(sequences, s);
      caches_.emplace_back(pool, positions);
      PONDER_CHECK(caches_.back().reserve(positions));
      batch_.add(caches_.back(), s.tokens.first(rows), s.tokens.subspan(1), s.prefix);
    }
    return {};
  }

  BlockArgs layer(int64_t l) const {
    return {.model = &model_,
            .params = &model_.params().layers[static_cast<size_t>(l)],
            .segments = batch_.segments,
            .cache_layer = cache_layer(l),
            .layer = l,
            .tokens = batch_.rows(),
            .positions = batch_.positions.data()};
  }

  Result<void> check_stop() const {
    if (options_.stop == nullptr || !options_.stop->load(std::memory_order_relaxed)) return {};
    return Failure{{.what = "stopped"}};
  }

  // Every layer's input, with a gradient to come; else only the last one's output.
  Result<void> forward() {
    const int64_t count = batch_.rows() * config_.hidden;
    const Tap tap = router_.tap(batch_.segments);
    inputs_.push_back(context_.arena->take<float>(count));
    embed(context_, model_, model_.params().embedding, batch_.inputs, inputs_[0]);
    for (int64_t l = 0; l < config_.layers; ++l) {
      PONDER_TRY(check_stop());
      BlockArgs args = layer(l);
      args.tap = config_.moe ? &tap : nullptr;
      if (gradients_) {
        inputs_.push_back(context_.arena->take<float>(count));
        std::copy_n(inputs_[static_cast<size_t>(l)], count, inputs_.back());
      }
      if (keeps_all()) {
        args.saved = make_saved(context_, args, inputs_[static_cast<size_t>(l)]);
        saved_.push_back(args.saved);
      }
      block_forward(context_, args, inputs_.back());
    }
    return {};
  }

  void run_mtp(const float* normed, float* dnormed) {
    if (!model_.has_mtp() || options_.mtp_weight == 0.0f) return;
    stats_.mtp_loss =
        mtp_pass({.context = &context_,
                  .model = &model_,
                  .main = &batch_,
                  .options = &options_,
                  .cache_layer = cache_layer(config_.layers),
                  .tap = [this](std::span<const Segment> rows) { return router_.tap(rows); },
                  .normed = normed,
                  .gradients = gradients_ ? &*gradients_ : nullptr,
                  .dnormed = dnormed});
  }

  // d: (R, H), gradient of the normalised output.
  Result<void> backward(float* d) {
    const int64_t rows = batch_.rows(), count = rows * config_.hidden;
    normalise_backward(context_, {.g = &model_.params().final_norm,
                                  .x = inputs_.back(),
                                  .dy = d,
                                  .dx = d,
                                  .dg = gradients_->final_norm,
                                  .rows = rows,
                                  .epsilon = config_.epsilon});
    for (int64_t l = config_.layers - 1; l >= 0; --l) {
      PONDER_TRY(check_stop());
      const Arena::Scope scope(*context_.arena);
      const auto index = static_cast<size_t>(l);
      BlockArgs args = layer(l);
      if (keeps_all()) {
        args.saved = saved_[index];
      } else {
        args.saved = make_saved(context_, args, inputs_[index]);
        float* x = inputs_[index + 1];  // its output, which nothing needs any more
        std::copy_n(inputs_[index], count, x);
        block_forward(context_, args, x);
      }
      block_backward(context_,
                     {.forward = &args,
                      .gradients = &gradients_->layers[index],
                      .balance_weight = options_.balance_weight},
                     d);
    }
    embed_backward(context_, model_, batch_.inputs, d, *gradients_);
    return {};
  }

  const Context& context_;
  const Model& model_;
  const Config& config_;
  const PassOptions& options_;
  std::optional<ParamGradients> gradients_;
  PassStats stats_;
  RouterStats router_;
  std::vector<KvCache> caches_;
  PassBatch batch_;
  std::vector<float*> inputs_;     // of each layer, and the last one's output: (R, H)
  std::vector<LayerSaved> saved_;  // of each layer, if all are kept
};

}  // namespace

void PassBatch::add(KvCache& cache, std::span<const int32_t> more,
                    std::span<const int32_t> their_targets, int64_t prefix) {
  const int64_t first = prefix < 0 ? 0 : segments[static_cast<size_t>(prefix)].tokens;
  segments.push_back({.cache = &cache,
                      .row = rows(),
                      .tokens = std::ssize(more),
                      .position = first,
                      .prefix = prefix});
  for (int64_t i = 0; i < std::ssize(more); ++i)
    positions.push_back(static_cast<int32_t>(first + i));
  inputs.insert(inputs.end(), more.begin(), more.end());
  targets.insert(targets.end(), their_targets.begin(), their_targets.end());
}

Result<PassStats> train_pass(const Context& context, TrainableModel& model,
                             std::span<const TrainSequence> sequences, const PassOptions& options,
                             const RowLoss& loss, std::span<float> gradients) {
  PONDER_CHECK(context.isa == model.model().isa());
  PONDER_TRY(check(model.model().config(), sequences, options));
  if (sequences.empty()) return PassStats();
  try {
    return TrainPass(context, model, options, gradients).run(sequences, loss);
  } catch (const std::bad_alloc&) {
    return Failure{{.what = "not enough memory for the temporaries of a training pass",
                    .mend = "give fewer or shorter sequences at a time"}};
  }
}

}  // namespace ponder
