#include "ops/lora/lora.hpp"

#include "base/macros.hpp"
#include "ops/cost.hpp"
#include "ops/matmul/matmul.hpp"
#include "ops/matmul/matmul_backward.hpp"
#include "ops/split.hpp"

namespace ponder {
namespace {

void check(const Weight& a, const Weight& b) {
  PONDER_CHECK(a.dtype() == DType::kF32 && b.dtype() == DType::kF32);
  PONDER_CHECK(a.stack() == 1 && b.stack() == 1 && a.rows() == b.cols());
}

}  // namespace

void lora(const Context& context, const LoraArgs& args) {
  const ProfileScope profile(context, "lora", [&] { return cost_of(args); });
  if (args.rows == 0) return;
  check(*args.a, *args.b);
  const int64_t rank = args.a->rows(), outputs = args.b->rows();
  const Arena::Scope scope(*context.arena);
  float* hidden = args.hidden;
  if (hidden == nullptr) hidden = context.arena->take<float>(args.rows * rank);
  float* change = context.arena->take<float>(args.rows * outputs);
  const MatmulTarget down{.weight = args.a, .y = hidden, .y_stride = rank};
  matmul(context,
         {.x = args.x, .rows = args.rows, .x_stride = args.x_stride, .targets = {&down, 1}});
  matmul(context, hidden, args.rows, {.weight = args.b, .y = change, .y_stride = outputs});
  for_row_ranges(context, args.rows, outputs, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      float* y = args.y + t * args.y_stride;
      const float* by = change + t * outputs;
      for (int64_t n = 0; n < outputs; ++n) y[n] += args.scale * by[n];
    }
  });
}

void lora_backward(const Context& context, const LoraBackwardArgs& args) {
  const ProfileScope profile(context, "lora_backward", [&] { return cost_of(args); });
  if (args.rows == 0) return;
  check(*args.a, *args.b);
  const int64_t rank = args.a->rows(), count = args.rows * rank;
  const Arena::Scope scope(*context.arena);
  // The factor goes to the narrow side of both products.
  float* dhidden = context.arena->take<float>(count);
  float* hidden = context.arena->take<float>(count);
  const RowsView dy{.data = args.dy, .stride = args.dy_stride};
  for (int64_t i = 0; i < count; ++i) hidden[i] = args.scale * args.hidden[i];
  matmul_backward(context, {.weight = args.b,
                            .x = {.data = hidden, .stride = rank},
                            .dy = dy,
                            .dx = {.data = dhidden, .stride = rank},
                            .dw = args.db,
                            .rows = args.rows});
  for (int64_t i = 0; i < count; ++i) dhidden[i] *= args.scale;
  matmul_backward(context, {.weight = args.a,
                            .x = {.data = args.x, .stride = args.x_stride},
                            .dy = {.data = dhidden, .stride = rank},
                            .dx = {.data = args.dx, .stride = args.dx_stride},
                            .dw = args.da,
                            .rows = args.rows,
                            .accumulate = true});
}

}  // namespace ponder
