// Gradient of grouped-query attention; attention_gqa.cpp has the forward pass.
#include "model/block_backward.hpp"
#include "ops/attention/attention_backward.hpp"

namespace ponder {

void attention_gqa_backward(const Context& context, const BlockBackwardArgs& args, const float* d,
                            float* dx) {
  const BlockArgs& forward = *args.forward;
  const Config& config = forward.model->config();
  const AttentionConfig& a = config.attention;
  const LayerParams& p = *forward.params;
  const LayerGradients& g = *args.gradients;
  const LayerSaved& saved = forward.saved;
  const int64_t tokens = forward.tokens, q_width = a.heads * a.head_dim;
  const int64_t kv_width = a.kv_heads * a.head_dim;
  const Arena::Scope scope(*context.arena);
  float* dmixed = context.arena->take<float>(tokens * q_width);
  float* dq = context.arena->take<float>(tokens * q_width);   // (T, h, d)
  float* dk = context.arena->take<float>(tokens * kv_width);  // (T, n, d)
  float* dv = context.arena->take<float>(tokens * kv_width);  // (T, n, d)

  linear_backward(context, tokens,
                  {.weight = &p.o, .x = saved.mixed, .dy = d, .dx = dmixed, .gradient = g.o});
  const auto count = static_cast<int64_t>(forward.segments.size());
  auto* sequences = context.arena->take<AttentionBackwardArgs>(count);
  for (int64_t i = 0; i < count; ++i) {
    const Segment& segment = forward.segments[static_cast<size_t>(i)];
    sequences[i] = {.q = saved.q + segment.row * q_width,
                    .out = saved.mixed + segment.row * q_width,
                    .log_sums = saved.log_sums + segment.row * a.heads,
                    .dout = dmixed + segment.row * q_width,
                    .cache = forward.cache(segment),
                    .tokens = segment.tokens,
                    .position = segment.position,
                    .heads = a.heads,
                    .q_stride = q_width,
                    .scale = a.scale,
                    .dq = dq + segment.row * q_width,
                    .dkeys = dk + segment.row * kv_width,
                    .dvalues = dv + segment.row * kv_width};
    if (segment.prefix < 0) continue;
    const int64_t before = forward.segments[static_cast<size_t>(segment.prefix)].row * kv_width;
    sequences[i].earlier_dkeys = dk + before;
    sequences[i].earlier_dvalues = dv + before;
  }
  attention_backward(context, {sequences, forward.segments.size()});

  const int64_t dim = a.head_dim;
  rotate(context, forward, {.x = dq, .heads = a.heads, .head_stride = dim, .backward = true});
  rotate(context, forward, {.x = dk, .heads = a.kv_heads, .head_stride = dim, .backward = true});
  if (a.qk_norm) {
    normalise_backward(context, {.g = &p.q_norm,
                                 .x = saved.q_raw,
                                 .dy = dq,
                                 .dx = dq,
                                 .dg = g.q_norm,
                                 .rows = tokens * a.heads,
                                 .epsilon = config.epsilon});
    normalise_backward(context, {.g = &p.k_norm,
                                 .x = saved.k_raw,
                                 .dy = dk,
                                 .dx = dk,
                                 .dg = g.k_norm,
                                 .rows = tokens * a.kv_heads,
                                 .epsilon = config.epsilon});
  }
  const float* x = saved.attn_normed;
  linear_backward(context, tokens,
                  {.weight = &p.q, .x = x, .dy = dq, .dx = dx, .gradient = g.q, .dbias = g.q_bias});
  linear_backward(context, tokens,
                  {.weight = &p.k,
                   .x = x,
                   .dy = dk,
                   .dx = dx,
                   .accumulate = true,
                   .gradient = g.k,
                   .dbias = g.k_bias});
  linear_backward(context, tokens,
                  {.weight = &p.v,
                   .x = x,
                   .dy = dv,
                   .dx = dx,
                   .accumulate = true,
                   .gradient = g.v,
                   .dbias = g.v_bias});
}

}  // namespace ponder
