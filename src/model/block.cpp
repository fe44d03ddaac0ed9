#include "model/block.hpp"

#include "ops/add/add.hpp"
#include "ops/rmsnorm/rmsnorm.hpp"

namespace ponder {

void normalise(const Context& context, const Config& config, const Buffer<float>& g, const float* x,
               int64_t rows, float* y) {
  const auto width = static_cast<int64_t>(g.size());
  rmsnorm(context, {.x = x,
                    .g = g.data(),
                    .y = y,
                    .rows = rows,
                    .width = width,
                    .x_stride = width,
                    .y_stride = width,
                    .epsilon = config.epsilon});
}

void block_forward(const Context& context, const BlockArgs& args, float* x) {
  const Config& config = args.model->config();
  const int64_t count = args.tokens * config.hidden;
  const Arena::Scope scope(*context.arena);
  float* normed = context.arena->take<float>(count);  // (T, H)
  float* out = context.arena->take<float>(count);     // (T, H)

  normalise(context, config, args.params->attn_norm, x, args.tokens, normed);
  if (config.attention.mla) {
    attention_mla(context, args, normed, out);
  } else {
    attention_gqa(context, args, normed, out);
  }
  tap_values(args, TapPoint::kAttentionOut, config.hidden, out);
  add(context, {.a = x, .b = out, .y = x, .count = count});

  normalise(context, config, args.params->ffn_norm, x, args.tokens, normed);
  feed_forward(context, args, normed, out);
  tap_values(args, TapPoint::kMlpOut, config.hidden, out);
  add(context, {.a = x, .b = out, .y = x, .count = count});
}

}  // namespace ponder
