// The multi-token-prediction block in training: its loss and gradient in one go, as nothing waits
// for its scores. M rows: those that have a token two places on.
#include <algorithm>

#include "model/block_backward.hpp"
#include "model/train_pass.hpp"
#include "ops/rmsnorm/rmsnorm.hpp"

namespace ponder {
namespace {

// The rows of the block, and the row of the main pass that each of them continues.
struct MtpRows {
  PassBatch batch;
  std::vector<int64_t> main;  // (M)
};

MtpRows rows_of(const PassBatch& main) {
  MtpRows rows;
  for (const Segment& segment : main.segments) {
    if (segment.tokens < 2) continue;
    const auto row = static_cast<size_t>(segment.row), count = static_cast<size_t>(segment.tokens);
    const auto targets = std::span(main.targets).subspan(row, count);  // t_{i+1} of each i
    rows.batch.add(*segment.cache, targets.first(count - 1), targets.subspan(1));
    for (int64_t i = 0; i + 1 < segment.tokens; ++i) rows.main.push_back(segment.row + i);
  }
  return rows;
}

// What the forward pass leaves for the gradient.
struct Kept {
  float* hidden;    // (M, H): h_i
  float* embedded;  // (M, H)
  float* joined;    // (M, 2H)
  float* input;     // (M, H): the layer's input
  float* x;         // (M, H): its output
  float* normed;    // (M, H)
};

void forward(const MtpPass& pass, const MtpRows& rows, BlockArgs& block, const Kept& kept) {
  const Context& context = *pass.context;
  const int64_t width = pass.model->config().hidden, count = rows.batch.rows();
  for (int64_t i = 0; i < count; ++i)
    std::copy_n(pass.normed + rows.main[static_cast<size_t>(i)] * width, width,
                kept.hidden + i * width);
  mtp_join(context, *pass.model,
           {.next_tokens = rows.batch.inputs,
            .hidden = kept.hidden,
            .embedded = kept.embedded,
            .joined = kept.joined,
            .out = kept.input});
  std::copy_n(kept.input, count * width, kept.x);
  block_forward(context, block, kept.x);
  normalise(context, pass.model->config(), pass.model->params().mtp[0].final_norm, kept.x, count,
            kept.normed);
}

// Half of djoined (M, 2H) back through its norm: dx (M, H), overwritten.
void half_backward(const MtpPass& pass, const Buffer<float>& g, const float* x,
                   const float* djoined, int64_t rows, float* dg, float* dx) {
  const Config& config = pass.model->config();
  rmsnorm_backward(*pass.context, {.x = x,
                                   .g = g.data(),
                                   .dy = djoined,
                                   .dx = dx,
                                   .dg = dg,
                                   .rows = rows,
                                   .width = config.hidden,
                                   .x_stride = config.hidden,
                                   .dy_stride = 2 * config.hidden,
                                   .dx_stride = config.hidden,
                                   .epsilon = config.epsilon});
}

// d: (M, H), gradient of the normalised output.
void backward(const MtpPass& pass, const MtpRows& rows, const BlockArgs& block, const Kept& kept,
              float* d) {
  const Context& context = *pass.context;
  const Config& config = pass.model->config();
  const MtpParams& p = pass.model->params().mtp[0];
  const MtpParamsOf<GradientTypes>& g = pass.gradients->mtp[0];
  const int64_t count = rows.batch.rows(), width = config.hidden;
  normalise_backward(context, {.g = &p.final_norm,
                               .x = kept.x,
                               .dy = d,
                               .dx = d,
                               .dg = g.final_norm,
                               .rows = count,
                               .epsilon = config.epsilon});
  block_backward(
      context,
      {.forward = &block, .gradients = &g.layer, .balance_weight = pass.options->balance_weight},
      d);
  float* djoined = context.arena->take<float>(count * 2 * width);  // (M, 2H)
  linear_backward(context, count,
                  {.weight = &p.projection,
                   .x = kept.joined,
                   .dy = d,
                   .dx = djoined,
                   .gradient = g.projection});
  half_backward(pass, p.token_norm, kept.embedded, djoined, count, g.token_norm, d);
  embed_backward(context, *pass.model, rows.batch.inputs, d, *pass.gradients);
  half_backward(pass, p.hidden_norm, kept.hidden, djoined + width, count, g.hidden_norm, d);
  for (int64_t i = 0; i < count; ++i) {
    float* sum = pass.dnormed + rows.main[static_cast<size_t>(i)] * width;
    for (int64_t k = 0; k < width; ++k) sum[k] += d[i * width + k];
  }
}

// Of each row: its part of Σ w·(−log p).
std::vector<float> weights_of(const MtpPass& pass, const MtpRows& rows) {
  const std::span<const float> given = pass.options->mtp_row_weight;
  std::vector<float> weights(rows.main.size(), 1.0f / static_cast<float>(rows.main.size()));
  for (size_t i = 0; !given.empty() && i < weights.size(); ++i)
    weights[i] = given[static_cast<size_t>(rows.main[i])];
  return weights;
}

}  // namespace

double mtp_pass(const MtpPass& pass) {
  const Context& context = *pass.context;
  const Config& config = pass.model->config();
  const MtpRows rows = rows_of(*pass.main);
  const int64_t count = rows.batch.rows(), width = config.hidden;
  if (count == 0) return 0.0;
  const Arena::Scope scope(*context.arena);
  const auto floats = [&](int64_t wide) { return context.arena->take<float>(count * wide); };
  const Kept kept{floats(width), floats(width), floats(2 * width),
                  floats(width), floats(width), floats(width)};
  const Tap tap = pass.tap(rows.batch.segments);
  BlockArgs block{.model = pass.model,
                  .params = &pass.model->params().mtp[0].layer,
                  .segments = rows.batch.segments,
                  .cache_layer = pass.cache_layer,
                  .layer = config.layers,
                  .tokens = count,
                  .positions = rows.batch.positions.data(),
                  .tap = &tap};
  if (pass.gradients != nullptr) block.saved = make_saved(context, block, kept.input);
  forward(pass, rows, block, kept);

  OutputHead head(context, *pass.model, rows.batch.targets, 1.0f, kept.normed);
  float* log_probability = floats(1);
  head.score(log_probability, nullptr);
  const std::vector<float> weights = weights_of(pass, rows);
  double loss = 0.0;
  for (size_t i = 0; i < weights.size(); ++i)
    loss -= static_cast<double>(weights[i]) * static_cast<double>(log_probability[i]);
  if (pass.gradients == nullptr) return loss;
  float* gradient = floats(1);
  for (size_t i = 0; i < weights.size(); ++i) gradient[i] = -pass.options->mtp_weight * weights[i];
  float* d = floats(width);
  head.backward(gradient, pass.gradients->output, d);
  backward(pass, rows, block, kept, d);
  return loss;
}

}  // namespace ponder
