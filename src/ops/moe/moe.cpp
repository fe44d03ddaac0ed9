#include "ops/moe/moe.hpp"

#include <algorithm>

#include "ops/cost.hpp"
#include "ops/matmul/product.hpp"
#include "ops/matmul/product_backward.hpp"
#include "ops/split.hpp"
#include "ops/swiglu/swiglu.hpp"

namespace ponder {
namespace {

// The (token, slot) pairs of the batch sorted by expert; a row each in the temporaries.
struct Routing {
  int64_t pairs = 0;   // T·k
  int64_t active = 0;  // experts with at least one pair
  int32_t* expert;     // (active)
  int64_t* begin;      // (active + 1): rows [begin[a], begin[a+1]) belong to expert[a]
  int32_t* token;      // (pairs) token of each row
  int32_t* row;        // (T, k) row of each pair

  // The rows of the a-th active expert, of all pairs: those of their tokens if `all` is indexed.
  Columns part(size_t a, Columns all) const {
    if (all.index != nullptr) {
      all.index += begin[a];
    } else {
      all.x += begin[a] * all.stride;
    }
    all.count = begin[a + 1] - begin[a];
    return all;
  }
};

// Counting sort, stable in (token, slot).
Routing route(const Context& context, const MoeArgs& args) {
  const int64_t experts = args.gate->stack();
  Routing r;
  r.pairs = args.tokens * args.chosen;
  int64_t* next = context.arena->take<int64_t>(experts);
  std::fill(next, next + experts, 0);
  for (int64_t p = 0; p < r.pairs; ++p) ++next[args.experts[p]];
  const int64_t most = std::min(experts, r.pairs);
  r.expert = context.arena->take<int32_t>(most);
  r.begin = context.arena->take<int64_t>(most + 1);
  int64_t begin = 0;
  for (int64_t e = 0; e < experts; ++e) {
    const int64_t count = next[e];
    next[e] = begin;
    if (count == 0) continue;
    r.expert[r.active] = static_cast<int32_t>(e);
    r.begin[r.active++] = begin;
    begin += count;
  }
  r.begin[r.active] = begin;
  r.token = context.arena->take<int32_t>(r.pairs);
  r.row = context.arena->take<int32_t>(r.pairs);
  for (int64_t p = 0; p < r.pairs; ++p) {
    const int64_t row = next[args.experts[p]]++;
    r.token[row] = static_cast<int32_t>(p / args.chosen);
    r.row[p] = static_cast<int32_t>(row);
  }
  return r;
}

// y[t] = Σ_i w[t, i]·down[row(t, i)], slots in ascending order.
void combine(const Context& context, const MoeArgs& args, const Routing& routing,
             const float* outputs /* (pairs, H) */) {
  const int64_t width = args.down->rows();
  context.pool->run(args.tokens, [&](int64_t t, int) {
    float* y = args.y + t * width;
    for (int i = 0; i < args.chosen; ++i) {
      const int64_t pair = t * args.chosen + i;
      const float weight = args.weights[pair];
      const float* output = outputs + routing.row[pair] * width;
      if (i == 0) {
        for (int64_t h = 0; h < width; ++h) y[h] = weight * output[h];
      } else {
        for (int64_t h = 0; h < width; ++h) y[h] += weight * output[h];
      }
    }
  });
}

// Products that every row of an expert's part takes, gate and up side by side: (pairs, 2·I).
void expand(const Context& context, const MoeArgs& args, const Routing& routing, float* hidden) {
  const int64_t width = args.gate->cols(), inner = args.gate->rows();
  const auto active = static_cast<size_t>(routing.active);
  const Arena::Scope scope(*context.arena);
  Columns* inputs = context.arena->take<Columns>(routing.active);
  Product* products = context.arena->take<Product>(2 * routing.active);
  for (size_t a = 0; a < active; ++a) {
    inputs[a] = routing.part(a, {.x = args.x, .stride = width, .index = routing.token});
    float* gate = hidden + routing.begin[a] * 2 * inner;
    products[2 * a] = {.weight = args.gate,
                       .matrix = routing.expert[a],
                       .input = &inputs[a],
                       .y = gate,
                       .y_stride = 2 * inner};
    products[2 * a + 1] = products[2 * a];
    products[2 * a + 1].weight = args.up;
    products[2 * a + 1].y = gate + inner;
  }
  PackForms forms;
  forms.add(context, *args.gate);
  forms.add(context, *args.up);
  pack_columns(context, {inputs, active}, width, forms);
  multiply(context, {products, 2 * active});
}

// silu(gate) ⊙ up of every row, (pairs, I), for weights that round their input.
void expand_gated(const Context& context, const MoeArgs& args, const Routing& routing,
                  float* activated) {
  const int64_t width = args.gate->cols(), inner = args.gate->rows();
  const auto active = static_cast<size_t>(routing.active);
  const Arena::Scope scope(*context.arena);
  Columns* inputs = context.arena->take<Columns>(routing.active);
  GatedProduct* products = context.arena->take<GatedProduct>(routing.active);
  for (size_t a = 0; a < active; ++a) {
    inputs[a] = routing.part(a, {.x = args.x, .stride = width, .index = routing.token});
    products[a] = {.gate = args.gate,
                   .up = args.up,
                   .matrix = routing.expert[a],
                   .input = &inputs[a],
                   .y = activated + routing.begin[a] * inner,
                   .y_stride = inner};
  }
  PackForms forms;
  forms.add(context, *args.gate);
  pack_columns(context, {inputs, active}, width, forms);
  multiply_gated(context, {products, active});
}

void check(const MoeArgs& args) {
  const int64_t width = args.gate->cols(), inner = args.gate->rows();
  PONDER_CHECK(args.up->cols() == width && args.up->rows() == inner && args.down->cols() == inner);
  PONDER_CHECK(args.up->stack() == args.gate->stack() && args.down->stack() == args.gate->stack());
}

// What moe_backward holds of all pairs, a row each.
struct Gradients {
  float* active;   // (pairs, I): silu(gate) ⊙ up, later times the pair's weight
  float* dactive;  // (pairs, I)
  float* dhidden;  // (pairs, 2·I)
  float* dx;       // (pairs, H)
};

float dot(const float* a, const float* b, int64_t count) {
  constexpr int64_t kLanes = 16;  // independent sums, which the compiler turns into vectors
  float sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < count; ++i) sums[i % kLanes] += a[i] * b[i];
  double total = 0.0;
  for (const float sum : sums) total += static_cast<double>(sum);
  return static_cast<float>(total);
}

// dw = ⟨dy, E(x)⟩ = ⟨dy·down, active⟩; then both sides of that product get the pair's weight, the
// one for what lies before, the other for the gradient of down.
void weigh(const Context& context, const MoeBackwardArgs& args, const Routing& routing,
           const Gradients& g) {
  const MoeArgs& forward = *args.forward;
  const int64_t inner = forward.gate->rows();
  for_row_ranges(context, routing.pairs, 3 * inner, [&](int64_t begin, int64_t end) {
    for (int64_t pair = begin; pair < end; ++pair) {
      float* active = g.active + routing.row[pair] * inner;
      float* dactive = g.dactive + routing.row[pair] * inner;
      args.dweights[pair] = dot(active, dactive, inner);
      for (int64_t i = 0; i < inner; ++i) {
        active[i] *= forward.weights[pair];
        dactive[i] *= forward.weights[pair];
      }
    }
  });
}

// Through one weight of each expert: its rows of dy to those of dx.
void to_inputs(const Context& context, const Routing& routing, const InputGradient& like) {
  const Arena::Scope scope(*context.arena);
  auto* gradients = context.arena->take<InputGradient>(routing.active);
  for (int64_t a = 0; a < routing.active; ++a) {
    gradients[a] = like;
    gradients[a].matrix = routing.expert[a];
    gradients[a].dy = routing.part(static_cast<size_t>(a), like.dy);
    gradients[a].dx += routing.begin[a] * like.dx_stride;
  }
  backward_inputs(context, {gradients, static_cast<size_t>(routing.active)});
}

void to_weights(const Context& context, const Routing& routing, const WeightGradient& like) {
  const Arena::Scope scope(*context.arena);
  auto* gradients = context.arena->take<WeightGradient>(routing.active);
  for (int64_t a = 0; a < routing.active; ++a) {
    gradients[a] = like;
    gradients[a].matrix = routing.expert[a];
    gradients[a].dy = routing.part(static_cast<size_t>(a), like.dy);
    gradients[a].x = routing.part(static_cast<size_t>(a), like.x);
  }
  backward_weights(context, {gradients, static_cast<size_t>(routing.active)});
}

// dx[t] += Σ_i dx of row (t, i), slots in ascending order.
void collect(const Context& context, const MoeBackwardArgs& args, const Routing& routing,
             const float* rows /* (pairs, H) */) {
  const int64_t width = args.forward->gate->cols();
  const int chosen = args.forward->chosen;
  for_row_ranges(context, args.forward->tokens, width * chosen, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      for (int i = 0; i < chosen; ++i) {
        const float* row = rows + routing.row[t * chosen + i] * width;
        for (int64_t h = 0; h < width; ++h) args.dx[t * width + h] += row[h];
      }
    }
  });
}

}  // namespace

void moe(const Context& context, const MoeArgs& args) {
  const ProfileScope profile(context, "moe", [&] { return cost_of(context, args); });
  if (args.tokens == 0) return;
  check(args);
  const int64_t width = args.gate->cols(), inner = args.gate->rows();
  const Arena::Scope scope(*context.arena);
  const Routing routing = route(context, args);
  const auto active = static_cast<size_t>(routing.active);
  float* outputs = context.arena->take<float>(routing.pairs * width);
  float* activated = context.arena->take<float>(routing.pairs * inner);
  if (args.saved == nullptr && uses_int8(context, *args.gate) && uses_int8(context, *args.up)) {
    expand_gated(context, args, routing, activated);
  } else {
    float* hidden = args.saved;
    if (hidden == nullptr) hidden = context.arena->take<float>(routing.pairs * 2 * inner);
    expand(context, args, routing, hidden);
    swiglu(context, {.gate = hidden,
                     .up = hidden + inner,
                     .y = activated,
                     .rows = routing.pairs,
                     .width = inner,
                     .stride = 2 * inner,
                     .y_stride = inner});
  }

  Columns* inputs = context.arena->take<Columns>(routing.active);
  Product* products = context.arena->take<Product>(routing.active);
  for (size_t a = 0; a < active; ++a) {
    inputs[a] = routing.part(a, {.x = activated, .stride = inner});
    products[a] = {.weight = args.down,
                   .matrix = routing.expert[a],
                   .input = &inputs[a],
                   .y = outputs + routing.begin[a] * width,
                   .y_stride = width};
  }
  PackForms forms;
  forms.add(context, *args.down);
  pack_columns(context, {inputs, active}, inner, forms);
  multiply(context, {products, active});
  combine(context, args, routing, outputs);
}

void moe_backward(const Context& context, const MoeBackwardArgs& args) {
  const ProfileScope profile(context, "moe_backward", [&] { return cost_of(context, args); });
  const MoeArgs& forward = *args.forward;
  if (forward.tokens == 0) return;
  check(forward);
  const bool trained = args.dgate != nullptr;
  PONDER_CHECK(trained == (args.dup != nullptr) && trained == (args.ddown != nullptr));
  const int64_t width = forward.gate->cols(), inner = forward.gate->rows();
  const Arena::Scope scope(*context.arena);
  Arena& arena = *context.arena;
  const Routing routing = route(context, forward);
  float* hidden = forward.saved;
  if (hidden == nullptr) {
    hidden = arena.take<float>(routing.pairs * 2 * inner);
    expand(context, forward, routing, hidden);
  }
  const Gradients g{.active = arena.take<float>(routing.pairs * inner),
                    .dactive = arena.take<float>(routing.pairs * inner),
                    .dhidden = arena.take<float>(routing.pairs * 2 * inner),
                    .dx = arena.take<float>(routing.pairs * width)};
  swiglu(context, {.gate = hidden,
                   .up = hidden + inner,
                   .y = g.active,
                   .rows = routing.pairs,
                   .width = inner,
                   .stride = 2 * inner,
                   .y_stride = inner});
  const Columns dy{.x = args.dy, .stride = width, .index = routing.token};
  to_inputs(context, routing,
            {.weight = forward.down, .dy = dy, .dx = g.dactive, .dx_stride = inner});
  weigh(context, args, routing, g);
  swiglu_backward(context, {.gate = hidden,
                            .up = hidden + inner,
                            .dy = g.dactive,
                            .dgate = g.dhidden,
                            .dup = g.dhidden + inner,
                            .rows = routing.pairs,
                            .width = inner,
                            .stride = 2 * inner,
                            .dy_stride = inner,
                            .out_stride = 2 * inner});
  const Columns dgate{.x = g.dhidden, .stride = 2 * inner};
  const Columns dup{.x = g.dhidden + inner, .stride = 2 * inner};
  InputGradient to_x{.weight = forward.gate, .dy = dgate, .dx = g.dx, .dx_stride = width};
  to_inputs(context, routing, to_x);
  to_x.weight = forward.up;
  to_x.dy = dup;
  to_x.accumulate = true;
  to_inputs(context, routing, to_x);
  collect(context, args, routing, g.dx);
  if (!trained) return;
  const Columns x{.x = forward.x, .stride = width, .index = routing.token};
  const Columns active{.x = g.active, .stride = inner};
  to_weights(context, routing, {.weight = forward.down, .dy = dy, .x = active, .dw = args.ddown});
  to_weights(context, routing, {.weight = forward.gate, .dy = dgate, .x = x, .dw = args.dgate});
  to_weights(context, routing, {.weight = forward.up, .dy = dup, .x = x, .dw = args.dup});
}

}  // namespace ponder
