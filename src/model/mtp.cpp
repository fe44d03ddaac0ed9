// The multi-token-prediction block (model-spec §6).
#include <algorithm>
#include <new>

#include "model/block.hpp"
#include "ops/matmul/matmul.hpp"
#include "ops/rmsnorm/rmsnorm.hpp"

namespace ponder {

void mtp_join(const Context& context, const Model& model, const MtpJoin& args) {
  const Config& config = model.config();
  const MtpParams& p = model.params().mtp[0];
  const auto count = static_cast<int64_t>(args.next_tokens.size());
  const int64_t width = config.hidden;
  const Arena::Scope scope(*context.arena);
  float* embedded = take_or(context, args.embedded, count * width);  // (T, H)
  float* joined = take_or(context, args.joined, count * 2 * width);  // (T, 2H)
  embed(context, model, p.embedding.empty() ? model.params().embedding : p.embedding,
        args.next_tokens, embedded);
  RmsnormArgs norm{.x = embedded,
                   .g = p.token_norm.data(),
                   .y = joined,
                   .rows = count,
                   .width = width,
                   .x_stride = width,
                   .y_stride = 2 * width,
                   .epsilon = config.epsilon};
  rmsnorm(context, norm);
  norm.x = args.hidden;
  norm.g = p.hidden_norm.data();
  norm.y = joined + width;
  rmsnorm(context, norm);
  linear(context, joined, count, {.weight = &p.projection, .y = args.out});
}

namespace {

void predict(const Context& context, const Model& model, KvCache& cache, const MtpArgs& args) {
  const Config& config = model.config();
  const MtpParams& p = model.params().mtp[0];
  const auto count = static_cast<int64_t>(args.next_tokens.size());
  const Arena::Scope scope(*context.arena);
  float* x = context.arena->take<float>(count * config.hidden);  // (T, H)
  mtp_join(context, model, {.next_tokens = args.next_tokens, .hidden = args.hidden, .out = x});
  const Segment segment{.cache = &cache, .tokens = count, .position = cache.length()};
  const BlockArgs block{.model = &model,
                        .params = &p.layer,
                        .segments = {&segment, 1},
                        .layer = config.layers,
                        .tokens = count,
                        .positions = positions_of(context, {&segment, 1}, count),
                        .tap = args.tap};
  block_forward(context, block, x);
  cache.advance(count);
  if (args.logit_rows == 0) return;
  float* last = x + (count - args.logit_rows) * config.hidden;  // (logit_rows, H)
  normalise(context, config, p.final_norm, last, args.logit_rows, last);
  if (args.hidden_out != nullptr)
    std::copy_n(last, args.logit_rows * config.hidden, args.hidden_out);
  matmul(context, last, args.logit_rows,
         {.weight = p.output.empty() ? &model.params().output : &p.output,
          .y = args.logits,
          .y_stride = config.vocab});
}

}  // namespace

Result<void> mtp_forward(const Context& context, const Model& model, KvCache& cache,
                         const MtpArgs& args) {
  PONDER_CHECK(model.has_mtp() && context.isa == model.isa());
  PONDER_CHECK(args.logit_rows >= 0 && args.logit_rows <= std::ssize(args.next_tokens));
  PONDER_TRY(check_input(model, cache, 1, args.next_tokens));
  try {
    predict(context, model, cache, args);
  } catch (const std::bad_alloc&) {
    return forward_out_of_memory();
  }
  return {};
}

}  // namespace ponder
