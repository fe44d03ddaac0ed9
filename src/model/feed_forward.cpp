// The feed-forward half of a layer: dense, or a mixture of experts (model-spec §1, §5).
#include "model/block.hpp"
#include "ops/add/add.hpp"
#include "ops/gate/gate.hpp"
#include "ops/matmul/matmul.hpp"
#include "ops/moe/moe.hpp"
#include "ops/swiglu/swiglu.hpp"

namespace ponder {
namespace {

struct Mlp {
  const Linear& gate;  // (I, H)
  const Linear& up;    // (I, H)
  const Linear& down;  // (H, I)
};

// out = down(silu(gate·x) ⊙ up·x); x and out: (T, H)
void dense(const Context& context, const BlockArgs& args, const Mlp& mlp, const float* x,
           float* out) {
  const int64_t tokens = args.tokens, width = mlp.gate.rows();
  const Arena::Scope scope(*context.arena);
  if (args.saved.gate == nullptr && mlp.gate.adapter == nullptr && mlp.up.adapter == nullptr) {
    float* product = context.arena->take<float>(tokens * width);  // (T, I)
    matmul_gated(context, {.x = x, .rows = tokens, .gate = &mlp.gate, .up = &mlp.up, .y = product});
    linear(context, product, tokens, {.weight = &mlp.down, .y = out});
    return;
  }
  float* gate = take_or(context, args.saved.gate, tokens * width);  // (T, I)
  float* up = take_or(context, args.saved.up, tokens * width);      // (T, I)
  float* product = args.saved.product != nullptr ? args.saved.product : gate;
  const LinearTarget targets[] = {{&mlp.gate, gate}, {&mlp.up, up}};
  linear(context, x, tokens, targets);
  swiglu(context, {.gate = gate,
                   .up = up,
                   .y = product,
                   .rows = tokens,
                   .width = width,
                   .stride = width,
                   .y_stride = width});
  linear(context, product, tokens, {.weight = &mlp.down, .y = out});
}

void mixture(const Context& context, const BlockArgs& args, const float* x, float* out) {
  const Config& config = args.model->config();
  const MoeConfig& m = *config.moe;
  const LayerParams& p = *args.params;
  const int64_t tokens = args.tokens, chosen = m.gate.chosen;
  const Arena::Scope scope(*context.arena);
  const LayerSaved& saved = args.saved;
  float* logits = take_or(context, saved.router_logits, tokens * m.gate.experts);  // (T, E)
  int32_t* experts = take_or(context, saved.experts, tokens * chosen);             // (T, k)
  float* weights = take_or(context, saved.expert_weights, tokens * chosen);        // (T, k)

  // Rounding what the router sees would change which experts are chosen.
  Context exact = context;
  exact.activations = Activations::kFloat;
  matmul(exact, x, tokens, {.weight = &p.router, .y = logits, .y_stride = m.gate.experts});
  gate(context, {.config = &m.gate,
                 .logits = logits,
                 .bias = m.correction_bias ? p.router_bias.data() : nullptr,
                 .experts = experts,
                 .weights = weights,
                 .tokens = tokens});
  tap_values(args, TapPoint::kRouterLogits, m.gate.experts, logits);
  tap_values(args, TapPoint::kRouterExperts, chosen, nullptr, experts);
  tap_values(args, TapPoint::kRouterWeights, chosen, weights);
  moe(context, {.x = x,
                .experts = experts,
                .weights = weights,
                .gate = &p.expert_gate,
                .up = &p.expert_up,
                .down = &p.expert_down,
                .y = out,
                .saved = saved.expert_hidden,
                .tokens = tokens,
                .chosen = m.gate.chosen});
  if (m.shared_width == 0) return;
  const int64_t count = tokens * config.hidden;
  float* shared = context.arena->take<float>(count);  // (T, H)
  dense(context, args, {p.shared_gate, p.shared_up, p.shared_down}, x, shared);
  add(context, {.a = out, .b = shared, .y = out, .count = count});
}

}  // namespace

void feed_forward(const Context& context, const BlockArgs& args, const float* x, float* out) {
  const LayerParams& p = *args.params;
  if (args.model->config().is_moe_layer(args.layer)) {
    mixture(context, args, x, out);
  } else {
    dense(context, args, {p.gate, p.up, p.down}, x, out);
  }
}

}  // namespace ponder
