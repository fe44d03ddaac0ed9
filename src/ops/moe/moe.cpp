#include "ops/moe/moe.hpp"

#include <algorithm>

#include "ops/cost.hpp"
#include "ops/matmul/product.hpp"
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

PackForms forms_of(const Context& context, const Weight& a, const Weight& b) {
  const bool a8 = uses_int8(context, a), b8 = uses_int8(context, b);
  return {.int8 = a8 || b8, .floats = !a8 || !b8};
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

}  // namespace

void moe(const Context& context, const MoeArgs& args) {
  const ProfileScope profile(context, "moe", [&] { return cost_of(context, args); });
  if (args.tokens == 0) return;
  const int64_t width = args.gate->cols(), inner = args.gate->rows();
  PONDER_CHECK(args.up->cols() == width && args.up->rows() == inner && args.down->cols() == inner);
  PONDER_CHECK(args.up->stack() == args.gate->stack() && args.down->stack() == args.gate->stack());
  const Arena::Scope scope(*context.arena);
  const Routing routing = route(context, args);
  const auto active = static_cast<size_t>(routing.active);
  float* hidden =
      context.arena->take<float>(routing.pairs * 2 * inner);  // gate and up side by side
  float* outputs = context.arena->take<float>(routing.pairs * width);
  Columns* inputs = context.arena->take<Columns>(routing.active);
  Product* products = context.arena->take<Product>(2 * routing.active);

  for (size_t a = 0; a < active; ++a) {
    const int64_t begin = routing.begin[a];
    inputs[a] = {.x = args.x,
                 .stride = width,
                 .index = routing.token + begin,
                 .count = routing.begin[a + 1] - begin};
    float* gate = hidden + begin * 2 * inner;
    products[2 * a] = {.weight = args.gate,
                       .matrix = routing.expert[a],
                       .input = &inputs[a],
                       .y = gate,
                       .y_stride = 2 * inner};
    products[2 * a + 1] = products[2 * a];
    products[2 * a + 1].weight = args.up;
    products[2 * a + 1].y = gate + inner;
  }
  pack_columns(context, {inputs, active}, width, forms_of(context, *args.gate, *args.up));
  multiply(context, {products, 2 * active});

  swiglu(context, {.gate = hidden,
                   .up = hidden + inner,
                   .y = hidden,
                   .rows = routing.pairs,
                   .width = inner,
                   .stride = 2 * inner,
                   .y_stride = 2 * inner});

  for (size_t a = 0; a < active; ++a) {
    const int64_t begin = routing.begin[a];
    inputs[a] = {.x = hidden + begin * 2 * inner,
                 .stride = 2 * inner,
                 .count = routing.begin[a + 1] - begin};
    products[a] = {.weight = args.down,
                   .matrix = routing.expert[a],
                   .input = &inputs[a],
                   .y = outputs + begin * width,
                   .y_stride = width};
  }
  pack_columns(context, {inputs, active}, inner, forms_of(context, *args.down, *args.down));
  multiply(context, {products, active});
  combine(context, args, routing, outputs);
}

}  // namespace ponder
