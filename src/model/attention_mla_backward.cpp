// Gradient of latent attention in its absorbed form; attention_mla.cpp has the forward pass.
#include <algorithm>

#include "model/block_backward.hpp"
#include "ops/attention/attention_backward.hpp"
#include "ops/matmul/matmul_backward.hpp"

namespace ponder {
namespace {

// From dmixed (T, h, dv) to dq (T, h, d), still rotated, and drows (T, rk + dr), of the cache.
void attend_backward(const Context& context, const BlockBackwardArgs& args, const float* dmixed,
                     float* dq, float* drows) {
  const BlockArgs& forward = *args.forward;
  const LayerSaved& saved = forward.saved;
  const Config& config = forward.model->config();
  const MlaSizes s = mla_sizes(config);
  const KvB<Linear>& kv_b = forward.params->kv_b;
  const int64_t tokens = forward.tokens, width = s.h * s.row();
  const Arena::Scope scope(*context.arena);
  float* dz = context.arena->take<float>(tokens * s.h * s.rk);  // (T, h, rk)
  float* dlatent = context.arena->take<float>(tokens * width);  // (T, h, rk + dr)
  matmul_backward(context, {.weight = &kv_b.values,
                            .x = {.data = saved.z, .stride = s.h * s.rk, .stack_stride = s.rk},
                            .dy = {.data = dmixed, .stride = s.h * s.dv, .stack_stride = s.dv},
                            .dx = {.data = dz, .stride = s.h * s.rk, .stack_stride = s.rk},
                            .dw = args.gradients->kv_b.values.values,
                            .rows = tokens});
  const auto count = static_cast<int64_t>(forward.segments.size());
  auto* sequences = context.arena->take<AttentionBackwardArgs>(count);
  for (int64_t i = 0; i < count; ++i) {
    const Segment& segment = forward.segments[static_cast<size_t>(i)];
    sequences[i] = {.q = saved.absorbed_q + segment.row * width,
                    .out = saved.z + segment.row * s.h * s.rk,
                    .log_sums = saved.log_sums + segment.row * s.h,
                    .dout = dz + segment.row * s.h * s.rk,
                    .cache = forward.cache(segment),
                    .tokens = segment.tokens,
                    .position = segment.position,
                    .heads = s.h,
                    .q_stride = width,
                    .scale = config.attention.scale,
                    .dq = dlatent + segment.row * width,
                    .dkeys = drows + segment.row * s.row()};
    if (segment.prefix < 0) continue;
    const Segment& prefix = forward.segments[static_cast<size_t>(segment.prefix)];
    sequences[i].earlier_dkeys = drows + prefix.row * s.row();
  }
  attention_backward(context, {sequences, forward.segments.size()});
  matmul_backward(context, {.weight = &kv_b.keys,
                            .x = {.data = saved.q, .stride = s.h * s.d, .stack_stride = s.d},
                            .dy = {.data = dlatent, .stride = width, .stack_stride = s.row()},
                            .dx = {.data = dq, .stride = s.h * s.d, .stack_stride = s.d},
                            .dw = args.gradients->kv_b.keys.values,
                            .rows = tokens});
  for (int64_t i = 0; i < tokens * s.h; ++i)
    std::copy_n(dlatent + i * s.row() + s.rk, s.dr, dq + i * s.d + s.dn);
}

}  // namespace

void attention_mla_backward(const Context& context, const BlockBackwardArgs& args, const float* d,
                            float* dx) {
  const BlockArgs& forward = *args.forward;
  const LayerParams& p = *forward.params;
  const LayerGradients& g = *args.gradients;
  const LayerSaved& saved = forward.saved;
  const MlaSizes s = mla_sizes(forward.model->config());
  const int64_t tokens = forward.tokens;
  const float* x = saved.attn_normed;
  const Arena::Scope scope(*context.arena);
  float* dmixed = context.arena->take<float>(tokens * s.h * s.dv);  // (T, h, dv)
  float* dq = context.arena->take<float>(tokens * s.h * s.d);       // (T, h, d)
  float* drows = context.arena->take<float>(tokens * s.row());      // (T, rk + dr)

  linear_backward(context, tokens,
                  {.weight = &p.o, .x = saved.mixed, .dy = d, .dx = dmixed, .gradient = g.o});
  attend_backward(context, args, dmixed, dq, drows);
  rotate(context, forward, {.x = dq + s.dn, .heads = s.h, .head_stride = s.d, .backward = true});
  if (s.rq > 0) {
    float* dlatent = context.arena->take<float>(tokens * s.rq);  // (T, rq)
    linear_backward(
        context, tokens,
        {.weight = &p.q_b, .x = saved.q_latent, .dy = dq, .dx = dlatent, .gradient = g.q_b});
    normalise_backward(context, {.g = &p.q_a_norm,
                                 .x = saved.q_latent_raw,
                                 .dy = dlatent,
                                 .dx = dlatent,
                                 .dg = g.q_a_norm,
                                 .rows = tokens,
                                 .epsilon = kLatentEpsilon});
    linear_backward(context, tokens,
                    {.weight = &p.q_a, .x = x, .dy = dlatent, .dx = dx, .gradient = g.q_a});
  } else {
    linear_backward(context, tokens, {.weight = &p.q, .x = x, .dy = dq, .dx = dx, .gradient = g.q});
  }
  rotate(context, forward,
         {.x = drows + s.rk, .heads = 1, .head_stride = s.row(), .backward = true});
  normalise_backward(context, {.g = &p.kv_a_norm,
                               .x = saved.rows_raw,
                               .dy = drows,
                               .dx = drows,
                               .dg = g.kv_a_norm,
                               .rows = tokens,
                               .epsilon = kLatentEpsilon,
                               .stride = s.row()});
  linear_backward(
      context, tokens,
      {.weight = &p.kv_a, .x = x, .dy = drows, .dx = dx, .accumulate = true, .gradient = g.kv_a});
}

}  // namespace ponder
