#include "model/forward.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "model/block.hpp"
#include "ops/matmul/matmul.hpp"

namespace ponder {
namespace {

// Tokens of one step that go through the layers together with those of other steps.
struct Part {
  const SequenceStep* step = nullptr;
  int64_t begin = 0, end = 0;  // of the step's tokens

  int64_t total() const { return static_cast<int64_t>(step->tokens.size()); }
  int64_t first_logit() const { return total() - std::min(step->logit_rows, total()); }
  int64_t logit_rows() const { return std::max<int64_t>(end - std::max(begin, first_logit()), 0); }
};

// What the steps want to know: normed hidden states and logits. x: (T, H), the last layer's output.
void finish(const Context& context, const BlockArgs& args, std::span<const Part> parts,
            const float* x) {
  const Config& config = args.model->config();
  const ModelParams& params = args.model->params();
  const int64_t width = config.hidden;
  const auto bytes = static_cast<size_t>(width) * sizeof(float);
  int64_t logit_rows = 0;
  bool all = args.tap != nullptr;
  for (const Part& part : parts) {
    logit_rows += part.logit_rows();
    all = all || part.step->hidden != nullptr;
  }
  const Arena::Scope scope(*context.arena);
  float* normed = context.arena->take<float>((all ? args.tokens : logit_rows) * width);
  float* wanted = all ? context.arena->take<float>(logit_rows * width) : normed;
  float* logits = context.arena->take<float>(parts.size() > 1 ? logit_rows * config.vocab : 0);
  if (all) {
    normalise(context, config, params.final_norm, x, args.tokens, normed);
    tap_values(args, TapPoint::kFinalNorm, width, normed);
  }
  int64_t done = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    const int64_t row = args.segments[i].row, rows = part.logit_rows();
    const int64_t from = row + part.end - part.begin - rows;
    if (part.step->hidden != nullptr)
      std::memcpy(part.step->hidden + part.begin * width, normed + row * width,
                  static_cast<size_t>(part.end - part.begin) * bytes);
    if (rows == 0) continue;
    if (all) {
      std::memcpy(wanted + done * width, normed + from * width, static_cast<size_t>(rows) * bytes);
    } else {
      normalise(context, config, params.final_norm, x + from * width, rows, wanted + done * width);
    }
    done += rows;
  }
  if (logit_rows == 0) return;
  const auto out = [&](const Part& part) {
    return part.step->logits +
           (std::max(part.begin, part.first_logit()) - part.first_logit()) * config.vocab;
  };
  if (parts.size() == 1) logits = out(parts[0]);
  matmul(context, wanted, logit_rows,
         {.weight = &params.output, .y = logits, .y_stride = config.vocab});
  if (parts.size() == 1) return;
  for (const Part& part : parts) {
    if (part.logit_rows() == 0) continue;
    const int64_t count = part.logit_rows() * config.vocab;
    std::copy_n(logits, count, out(part));
    logits += count;
  }
}

Result<void> stopped() { return Failure{{.what = "stopped"}}; }

// One chunk through all layers.
Result<void> forward_chunk(const Context& context, const Model& model, std::span<const Part> parts,
                           const BatchOptions& options) {
  const Config& config = model.config();
  const Arena::Scope scope(*context.arena);
  auto* segments = context.arena->take<Segment>(static_cast<int64_t>(parts.size()));
  int64_t rows = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    KvCache* cache = parts[i].step->cache;
    segments[i] = {cache, rows, parts[i].end - parts[i].begin, cache->length()};
    rows += segments[i].tokens;
  }
  float* x = context.arena->take<float>(rows * config.hidden);  // (T, H)
  for (size_t i = 0; i < parts.size(); ++i)
    embed(context, model, model.params().embedding,
          parts[i].step->tokens.subspan(static_cast<size_t>(parts[i].begin),
                                        static_cast<size_t>(segments[i].tokens)),
          x + segments[i].row * config.hidden);
  BlockArgs args{.model = &model,
                 .segments = {segments, parts.size()},
                 .tokens = rows,
                 .positions = positions_of(context, {segments, parts.size()}, rows),
                 .tap = options.tap};
  for (int64_t l = 0; l < config.layers; ++l) {
    if (options.stop != nullptr && options.stop->load(std::memory_order_relaxed)) return stopped();
    args.layer = args.cache_layer = l;
    args.params = &model.params().layers[static_cast<size_t>(l)];
    tap_values(args, TapPoint::kHidden, config.hidden, x);
    block_forward(context, args, x);
  }
  args.layer = config.layers;
  tap_values(args, TapPoint::kHidden, config.hidden, x);
  for (const Segment& segment : args.segments) segment.cache->advance(segment.tokens);
  finish(context, args, parts, x);
  return {};
}

// All steps, `options.chunk` tokens at a time in their order.
Result<void> forward_chunks(const Context& context, const Model& model,
                            std::span<const SequenceStep> steps, const BatchOptions& options) {
  const Arena::Scope scope(*context.arena);
  Part* parts = context.arena->take<Part>(static_cast<int64_t>(steps.size()));
  size_t count = 0;
  int64_t room = options.chunk;
  for (const SequenceStep& step : steps) {
    const auto total = static_cast<int64_t>(step.tokens.size());
    for (int64_t begin = 0; begin < total;) {
      const int64_t end = std::min(total, begin + room);
      parts[count++] = {&step, begin, end};
      room -= end - begin;
      begin = end;
      if (room > 0) continue;
      PONDER_TRY(forward_chunk(context, model, {parts, count}, options));
      count = 0;
      room = options.chunk;
    }
  }
  return count > 0 ? forward_chunk(context, model, {parts, count}, options) : Result<void>();
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
  PONDER_CHECK(cache.reserved(std::ssize(tokens)));
  return {};
}

int32_t* positions_of(const Context& context, std::span<const Segment> segments, int64_t tokens) {
  int32_t* positions = context.arena->take<int32_t>(tokens);
  for (const Segment& segment : segments) {
    for (int64_t i = 0; i < segment.tokens; ++i)
      positions[segment.row + i] = static_cast<int32_t>(segment.position + i);
  }
  return positions;
}

Failure forward_out_of_memory() {
  return Failure{{.what = "not enough memory for the temporaries of a forward pass",
                  .mend = "use a smaller model or a shorter context"}};
}

Result<void> forward_batch(const Context& context, const Model& model,
                           std::span<const SequenceStep> steps, const BatchOptions& options) {
  PONDER_CHECK(context.isa == model.isa() && options.chunk > 0);
  for (const SequenceStep& step : steps) {
    PONDER_TRY(check_input(model, *step.cache, model.config().layers, step.tokens));
    PONDER_CHECK(step.logit_rows >= 0 && (step.logit_rows == 0 || step.logits != nullptr));
  }
  try {
    return forward_chunks(context, model, steps, options);
  } catch (const std::bad_alloc&) {
    return forward_out_of_memory();
  }
}

Result<void> forward(const Context& context, const Model& model, KvCache& cache,
                     std::span<const int32_t> tokens, const ForwardOptions& options) {
  const SequenceStep step{.cache = &cache,
                          .tokens = tokens,
                          .logit_rows = options.logit_rows,
                          .logits = options.logits,
                          .hidden = options.hidden};
  return forward_batch(context, model, {&step, 1},
                       {.chunk = options.chunk, .stop = options.stop, .tap = options.tap});
}

}  // namespace ponder
