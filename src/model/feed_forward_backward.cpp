// Gradient of the feed-forward half of a layer; feed_forward.cpp has the forward pass.
#include <algorithm>

#include "model/block_backward.hpp"
#include "ops/gate/gate.hpp"
#include "ops/moe/moe.hpp"
#include "ops/swiglu/swiglu.hpp"

namespace ponder {
namespace {

struct Mlp {
  const Linear &gate, &up, &down;
  const GradientTypes::Matrix &dgate, &dup, &ddown;
};

// dx (T, H) (+)= what the feed-forward gives for d (T, H).
void dense_backward(const Context& context, const BlockArgs& forward, const Mlp& mlp,
                    const float* d, float* dx, bool accumulate) {
  const LayerSaved& saved = forward.saved;
  const int64_t tokens = forward.tokens, width = mlp.gate.rows();
  const Arena::Scope scope(*context.arena);
  float* dgate = context.arena->take<float>(tokens * width);  // (T, I); first of the product
  float* dup = context.arena->take<float>(tokens * width);    // (T, I)
  linear_backward(
      context, tokens,
      {.weight = &mlp.down, .x = saved.product, .dy = d, .dx = dgate, .gradient = mlp.ddown});
  swiglu_backward(context, {.gate = saved.gate,
                            .up = saved.up,
                            .dy = dgate,
                            .dgate = dgate,
                            .dup = dup,
                            .rows = tokens,
                            .width = width,
                            .stride = width,
                            .dy_stride = width,
                            .out_stride = width});
  linear_backward(context, tokens,
                  {.weight = &mlp.gate,
                   .x = saved.ffn_normed,
                   .dy = dgate,
                   .dx = dx,
                   .accumulate = accumulate,
                   .gradient = mlp.dgate});
  linear_backward(context, tokens,
                  {.weight = &mlp.up,
                   .x = saved.ffn_normed,
                   .dy = dup,
                   .dx = dx,
                   .accumulate = true,
                   .gradient = mlp.dup});
}

// dx (T, H) += what the router gives for the gradients of the chosen weights (T, k).
void router_backward(const Context& context, const BlockBackwardArgs& args, const float* dweights,
                     float* dx) {
  const BlockArgs& forward = *args.forward;
  const MoeConfig& m = *forward.model->config().moe;
  const LayerParams& p = *forward.params;
  const LayerSaved& saved = forward.saved;
  const Arena::Scope scope(*context.arena);
  float* dlogits = context.arena->take<float>(forward.tokens * m.gate.experts);  // (T, E)
  for (const Segment& segment : forward.segments) {
    const int64_t chosen = segment.row * m.gate.chosen, all = segment.row * m.gate.experts;
    const GateArgs gate{.config = &m.gate,
                        .logits = saved.router_logits + all,
                        .bias = m.correction_bias ? p.router_bias.data() : nullptr,
                        .experts = saved.experts + chosen,
                        .weights = saved.expert_weights + chosen,
                        .tokens = segment.tokens};
    gate_backward(context, {.forward = &gate,
                            .dweights = dweights + chosen,
                            .dlogits = dlogits + all,
                            .balance = args.balance_weight});
  }
  linear_backward(context, forward.tokens,
                  {.weight = &p.router,
                   .x = saved.ffn_normed,
                   .dy = dlogits,
                   .dx = dx,
                   .accumulate = true,
                   .gradient = args.gradients->router});
}

void mixture_backward(const Context& context, const BlockBackwardArgs& args, const float* d,
                      float* dx) {
  const BlockArgs& forward = *args.forward;
  const Config& config = forward.model->config();
  const LayerParams& p = *forward.params;
  const LayerGradients& g = *args.gradients;
  const LayerSaved& saved = forward.saved;
  const int chosen = config.moe->gate.chosen;
  const Arena::Scope scope(*context.arena);
  float* dweights = context.arena->take<float>(forward.tokens * chosen);  // (T, k)
  std::fill_n(dx, forward.tokens * config.hidden, 0.0f);
  const MoeArgs experts{.x = saved.ffn_normed,
                        .experts = saved.experts,
                        .weights = saved.expert_weights,
                        .gate = &p.expert_gate,
                        .up = &p.expert_up,
                        .down = &p.expert_down,
                        .saved = saved.expert_hidden,
                        .tokens = forward.tokens,
                        .chosen = chosen};
  moe_backward(context, {.forward = &experts,
                         .dy = d,
                         .dx = dx,
                         .dweights = dweights,
                         .dgate = g.expert_gate.values,
                         .dup = g.expert_up.values,
                         .ddown = g.expert_down.values});
  router_backward(context, args, dweights, dx);
  if (config.moe->shared_width == 0) return;
  dense_backward(
      context, forward,
      {p.shared_gate, p.shared_up, p.shared_down, g.shared_gate, g.shared_up, g.shared_down}, d, dx,
      true);
}

}  // namespace

void feed_forward_backward(const Context& context, const BlockBackwardArgs& args, const float* d,
                           float* dx) {
  const BlockArgs& forward = *args.forward;
  const LayerParams& p = *forward.params;
  const LayerGradients& g = *args.gradients;
  if (forward.model->config().is_moe_layer(forward.layer)) {
    mixture_backward(context, args, d, dx);
  } else {
    dense_backward(context, forward, {p.gate, p.up, p.down, g.gate, g.up, g.down}, d, dx, false);
  }
}

}  // namespace ponder
