// Grouped-query attention of Qwen and Llama (model-spec §8; Ainslie et al. 2305.13245).
#include "model/block.hpp"
#include "ops/attention/attention.hpp"
#include "ops/matmul/matmul.hpp"
#include "ops/rope/rope.hpp"

namespace ponder {
namespace {

const float* or_null(const Buffer<float>& buffer) {
  return buffer.size() == 0 ? nullptr : buffer.data();
}

// Rotates (T, heads, d) in place.
void rotate(const Context& context, const BlockArgs& args, float* x, int64_t heads) {
  const Config& config = args.model->config();
  const int64_t dim = config.attention.head_dim;
  rope(context, {.x = x,
                 .positions = args.positions,
                 .inv_freq = config.rope.inv_freq.data(),
                 .tokens = args.tokens,
                 .heads = heads,
                 .dims = config.rope.dims,
                 .token_stride = heads * dim,
                 .head_stride = dim,
                 .amplitude = config.rope.amplitude,
                 .interleaved = config.rope.interleaved});
}

}  // namespace

void attention_gqa(const Context& context, const BlockArgs& args, const float* x, float* out) {
  const Config& config = args.model->config();
  const AttentionConfig& a = config.attention;
  const LayerParams& p = *args.params;
  const int64_t tokens = args.tokens, q_width = a.heads * a.head_dim;
  const int64_t kv_width = a.kv_heads * a.head_dim;
  const Arena::Scope scope(*context.arena);
  float* q = context.arena->take<float>(tokens * q_width);   // (T, h, d)
  float* k = context.arena->take<float>(tokens * kv_width);  // (T, n, d)
  float* v = context.arena->take<float>(tokens * kv_width);  // (T, n, d)
  float* mixed = context.arena->take<float>(tokens * q_width);

  const MatmulTarget targets[] = {{&p.q, q, q_width, or_null(p.q_bias)},
                                  {&p.k, k, kv_width, or_null(p.k_bias)},
                                  {&p.v, v, kv_width, or_null(p.v_bias)}};
  matmul(context, {.x = x, .rows = tokens, .x_stride = config.hidden, .targets = targets});
  if (a.qk_norm) {
    normalise(context, config, p.q_norm, q, tokens * a.heads, q);
    normalise(context, config, p.k_norm, k, tokens * a.kv_heads, k);
  }
  rotate(context, args, q, a.heads);
  rotate(context, args, k, a.kv_heads);
  const auto count = static_cast<int64_t>(args.segments.size());
  AttentionArgs* sequences = context.arena->take<AttentionArgs>(count);
  for (int64_t i = 0; i < count; ++i) {
    const Segment& segment = args.segments[static_cast<size_t>(i)];
    kv_write(context, {.keys = k + segment.row * kv_width,
                       .values = v + segment.row * kv_width,
                       .cache = args.cache(segment),
                       .tokens = segment.tokens,
                       .key_stride = kv_width,
                       .value_stride = kv_width,
                       .position = segment.position});
    sequences[i] = {.q = q + segment.row * q_width,
                    .out = mixed + segment.row * q_width,
                    .cache = args.cache(segment),
                    .tokens = segment.tokens,
                    .heads = a.heads,
                    .q_stride = q_width,
                    .position = segment.position,
                    .scale = a.scale};
  }
  attention(context, {sequences, args.segments.size()});
  matmul(context, mixed, tokens, {.weight = &p.o, .y = out, .y_stride = config.hidden});
}

}  // namespace ponder
