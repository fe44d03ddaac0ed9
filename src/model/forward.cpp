#include "model/forward.hpp"

#include <algorithm>
#include <new>

#include "model/block.hpp"
#include "ops/embedding/embedding.hpp"
#include "ops/matmul/matmul.hpp"

namespace ponder {
namespace {

// Rows of the final norm and logits that a chunk must give.
struct Wanted {
  float* hidden = nullptr;  // (T, H) or nullptr
  float* logits = nullptr;  // (logit_rows, V)
  int64_t logit_rows = 0;   // of the last tokens of the chunk
};

void finish(const Context& context, const BlockArgs& args, const Wanted& wanted, const float* x) {
  const Config& config = args.model->config();
  const ModelParams& params = args.model->params();
  const bool all = wanted.hidden != nullptr || args.tap != nullptr;
  const int64_t rows = all ? args.tokens : wanted.logit_rows;
  const Arena::Scope scope(*context.arena);
  float* normed =
      wanted.hidden != nullptr ? wanted.hidden : context.arena->take<float>(rows * config.hidden);
  normalise(context, config, params.final_norm, x + (args.tokens - rows) * config.hidden, rows,
            normed);
  tap_values(args, TapPoint::kFinalNorm, config.hidden, normed);
  matmul(context, normed + (rows - wanted.logit_rows) * config.hidden, wanted.logit_rows,
         {.weight = &params.output, .y = wanted.logits, .y_stride = config.vocab});
}

Result<void> stopped() { return Failure{{.what = "stopped"}}; }

// One chunk through all layers.
Result<void> forward_chunk(const Context& context, const Model& model, KvCache& cache,
                           std::span<const int32_t> tokens, const ForwardOptions& options,
                           const Wanted& wanted) {
  const Config& config = model.config();
  const auto count = static_cast<int64_t>(tokens.size());
  const Arena::Scope scope(*context.arena);
  float* x = context.arena->take<float>(count * config.hidden);  // (T, H)
  embedding(context,
            {.table = model.params().embedding, .tokens = tokens.data(), .out = x, .count = count});
  BlockArgs args{.model = &model,
                 .tokens = count,
                 .position = cache.length(),
                 .positions = positions_from(context, cache.length(), count),
                 .tap = options.tap};
  for (int64_t l = 0; l < config.layers; ++l) {
    if (options.stop != nullptr && options.stop->load(std::memory_order_relaxed)) return stopped();
    args.layer = l;
    args.params = &model.params().layers[static_cast<size_t>(l)];
    args.cache = cache.layer(l);
    tap_values(args, TapPoint::kHidden, config.hidden, x);
    block_forward(context, args, x);
  }
  args.layer = config.layers;
  tap_values(args, TapPoint::kHidden, config.hidden, x);
  cache.advance(count);
  finish(context, args, wanted, x);
  return {};
}

}  // namespace

Result<void> check_input(const Model& model, const KvCache& cache, int64_t layers,
                         std::span<const int32_t> tokens) {
  const int64_t vocab = model.config().vocab;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] >= 0 && tokens[i] < vocab) continue;
    return Failure{{.what = "token " + std::to_string(tokens[i]) + " is not in the vocabulary of " +
                            std::to_string(vocab),
                    .where = "token " + std::to_string(i) + " of the input",
                    .mend = "use the tokenizer that belongs to this model"}};
  }
  PONDER_CHECK(cache.layers() == layers);
  if (static_cast<int64_t>(tokens.size()) > cache.capacity() - cache.length()) {
    return Failure{{.what = std::to_string(tokens.size()) + " more tokens do not fit after " +
                            std::to_string(cache.length()) + " of " +
                            std::to_string(cache.capacity()),
                    .where = "context",
                    .mend = "use a larger context, or a shorter text"}};
  }
  return {};
}

int32_t* positions_from(const Context& context, int64_t first, int64_t count) {
  int32_t* positions = context.arena->take<int32_t>(count);
  for (int64_t i = 0; i < count; ++i) positions[i] = static_cast<int32_t>(first + i);
  return positions;
}

Failure forward_out_of_memory() {
  return Failure{{.what = "not enough memory for the temporaries of a forward pass",
                  .mend = "use a smaller model or a shorter context"}};
}

Result<void> forward(const Context& context, const Model& model, KvCache& cache,
                     std::span<const int32_t> tokens, const ForwardOptions& options) {
  PONDER_CHECK(context.isa == model.isa());
  PONDER_TRY(check_input(model, cache, model.config().layers, tokens));
  const auto total = static_cast<int64_t>(tokens.size());
  const int64_t logit_rows = std::min(options.logit_rows, total);
  PONDER_CHECK(options.chunk > 0 && logit_rows >= 0);
  PONDER_CHECK(logit_rows == 0 || options.logits != nullptr);
  const Config& config = model.config();
  try {
    for (int64_t begin = 0; begin < total; begin += options.chunk) {
      const int64_t end = std::min(begin + options.chunk, total);
      const int64_t first_row = std::max(begin, total - logit_rows);  // with logits
      Wanted wanted;
      wanted.logit_rows = std::max<int64_t>(end - first_row, 0);
      if (wanted.logit_rows > 0)
        wanted.logits = options.logits + (first_row - (total - logit_rows)) * config.vocab;
      if (options.hidden != nullptr) wanted.hidden = options.hidden + begin * config.hidden;
      PONDER_TRY(forward_chunk(
          context, model, cache,
          tokens.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)), options,
          wanted));
    }
  } catch (const std::bad_alloc&) {
    return forward_out_of_memory();
  }
  return {};
}

}  // namespace ponder
