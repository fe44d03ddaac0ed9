#include "model/block_backward.hpp"

#include "ops/lora/lora.hpp"
#include "ops/matmul/matmul.hpp"
#include "ops/matmul/matmul_backward.hpp"
#include "ops/rmsnorm/rmsnorm.hpp"

namespace ponder {
namespace {

void save_attention(const Context& context, const BlockArgs& args, LayerSaved& saved) {
  const Config& config = args.model->config();
  const AttentionConfig& a = config.attention;
  const auto floats = [&](int64_t width) {
    return context.arena->take<float>(args.tokens * width);
  };
  saved.q = floats(a.heads * a.head_dim);
  saved.log_sums = floats(a.heads);
  if (!a.mla) {
    saved.mixed = floats(a.heads * a.head_dim);
    if (!a.qk_norm) return;
    saved.q_raw = floats(a.heads * a.head_dim);
    saved.k_raw = floats(a.kv_heads * a.head_dim);
    return;
  }
  const MlaSizes s = mla_sizes(config);
  saved.mixed = floats(s.h * s.dv);
  saved.rows_raw = floats(s.row());
  saved.absorbed_q = floats(s.h * s.row());
  saved.z = floats(s.h * s.rk);
  if (s.rq == 0) return;
  saved.q_latent_raw = floats(s.rq);
  saved.q_latent = floats(s.rq);
}

void save_feed_forward(const Context& context, const BlockArgs& args, LayerSaved& saved) {
  const Config& config = args.model->config();
  const bool routed = config.is_moe_layer(args.layer);
  const int64_t width = routed ? config.moe->shared_width : config.ffn_width;
  const auto floats = [&](int64_t count) {
    return context.arena->take<float>(args.tokens * count);
  };
  if (width > 0) {
    saved.gate = floats(width);
    saved.up = floats(width);
    saved.product = floats(width);
  }
  if (!routed) return;
  const int64_t chosen = config.moe->gate.chosen;
  saved.router_logits = floats(config.moe->gate.experts);
  saved.experts = context.arena->take<int32_t>(args.tokens * chosen);
  saved.expert_weights = floats(chosen);
  saved.expert_hidden = floats(chosen * 2 * config.moe->width);
}

}  // namespace

LayerSaved make_saved(const Context& context, const BlockArgs& args, const float* input) {
  const int64_t count = args.tokens * args.model->config().hidden;
  LayerSaved saved{.input = input};
  saved.attn_normed = context.arena->take<float>(count);
  saved.middle = context.arena->take<float>(count);
  saved.ffn_normed = context.arena->take<float>(count);
  save_attention(context, args, saved);
  save_feed_forward(context, args, saved);
  return saved;
}

void linear_backward(const Context& context, int64_t rows, const LinearBackwardArgs& args) {
  const int64_t n = args.weight->rows(), k = args.weight->cols();
  matmul_backward(context, {.weight = args.weight,
                            .x = {.data = args.x, .stride = k},
                            .dy = {.data = args.dy, .stride = n},
                            .dx = {.data = args.dx, .stride = k},
                            .dw = args.gradient.values,
                            .dbias = args.dbias,
                            .rows = rows,
                            .accumulate = args.accumulate});
  const Adapter* adapter = args.weight->adapter.get();
  if (adapter == nullptr) return;
  const Arena::Scope scope(*context.arena);
  const int64_t rank = adapter->a.rows();
  float* hidden = context.arena->take<float>(rows * rank);  // (T, r): cheaper again than kept
  matmul(context, args.x, rows, {.weight = &adapter->a, .y = hidden, .y_stride = rank});
  lora_backward(context, {.x = args.x,
                          .hidden = hidden,
                          .dy = args.dy,
                          .a = &adapter->a,
                          .b = &adapter->b,
                          .scale = adapter->scale,
                          .dx = args.dx,
                          .da = args.gradient.adapter_a,
                          .db = args.gradient.adapter_b,
                          .rows = rows,
                          .x_stride = k,
                          .dy_stride = n,
                          .dx_stride = k});
}

void normalise_backward(const Context& context, const NormaliseBackwardArgs& args) {
  const auto width = static_cast<int64_t>(args.g->size());
  const int64_t stride = args.stride > 0 ? args.stride : width;
  rmsnorm_backward(context, {.x = args.x,
                             .g = args.g->data(),
                             .dy = args.dy,
                             .dx = args.dx,
                             .dg = args.dg,
                             .rows = args.rows,
                             .width = width,
                             .x_stride = stride,
                             .dy_stride = stride,
                             .dx_stride = stride,
                             .epsilon = args.epsilon,
                             .accumulate = args.accumulate});
}

void block_backward(const Context& context, const BlockBackwardArgs& args, float* d) {
  const BlockArgs& forward = *args.forward;
  const Config& config = forward.model->config();
  const LayerParams& p = *forward.params;
  const LayerSaved& saved = forward.saved;
  const Arena::Scope scope(*context.arena);
  float* dx = context.arena->take<float>(forward.tokens * config.hidden);  // (T, H)

  feed_forward_backward(context, args, d, dx);
  normalise_backward(context, {.g = &p.ffn_norm,
                               .x = saved.middle,
                               .dy = dx,
                               .dx = d,
                               .dg = args.gradients->ffn_norm,
                               .rows = forward.tokens,
                               .accumulate = true,
                               .epsilon = config.epsilon});
  if (config.attention.mla) {
    attention_mla_backward(context, args, d, dx);
  } else {
    attention_gqa_backward(context, args, d, dx);
  }
  normalise_backward(context, {.g = &p.attn_norm,
                               .x = saved.input,
                               .dy = dx,
                               .dx = d,
                               .dg = args.gradients->attn_norm,
                               .rows = forward.tokens,
                               .accumulate = true,
                               .epsilon = config.epsilon});
}

}  // namespace ponder
