#include "ops/matmul/matmul.hpp"

#include <algorithm>

#include "ops/cost.hpp"
#include "ops/matmul/product.hpp"
#include "ops/swiglu/swiglu.hpp"

namespace ponder {

void matmul(const Context& context, const MatmulArgs& args) {
  const ProfileScope profile(context, "matmul", [&] { return cost_of(context, args); });
  if (args.rows == 0 || args.targets.empty()) return;
  const int64_t cols = args.targets[0].weight->cols();
  const Arena::Scope scope(*context.arena);
  Columns input{.x = args.x, .stride = args.x_stride, .count = args.rows};
  PackForms forms;
  Product* products = context.arena->take<Product>(static_cast<int64_t>(args.targets.size()));
  for (size_t i = 0; i < args.targets.size(); ++i) {
    const MatmulTarget& target = args.targets[i];
    PONDER_CHECK(target.weight->cols() == cols && target.weight->stack() == 1);
    forms.add(context, *target.weight);
    products[i] = {.weight = target.weight,
                   .input = &input,
                   .y = target.y,
                   .y_stride = target.y_stride,
                   .bias = target.bias};
  }
  pack_columns(context, {&input, 1}, cols, forms);
  multiply(context, {products, args.targets.size()});
}

void matmul(const Context& context, const float* x, int64_t rows, const MatmulTarget& target) {
  matmul(context,
         {.x = x, .rows = rows, .x_stride = target.weight->cols(), .targets = {&target, 1}});
}

void matmul_gated(const Context& context, const GatedMatmulArgs& args) {
  const int64_t width = args.gate->rows(), cols = args.gate->cols();
  const Arena::Scope scope(*context.arena);
  if (uses_int8(context, *args.gate) && uses_int8(context, *args.up)) {
    const ProfileScope profile(context, "matmul_gated", [&] { return cost_of(context, args); });
    Columns input{.x = args.x, .stride = cols, .count = args.rows};
    PackForms forms;
    forms.add(context, *args.gate);
    pack_columns(context, {&input, 1}, cols, forms);
    const GatedProduct product{
        .gate = args.gate, .up = args.up, .input = &input, .y = args.y, .y_stride = width};
    multiply_gated(context, {&product, 1});
    return;
  }
  float* up = context.arena->take<float>(args.rows * width);
  const MatmulTarget targets[] = {{args.gate, args.y, width}, {args.up, up, width}};
  matmul(context, {.x = args.x, .rows = args.rows, .x_stride = cols, .targets = targets});
  swiglu(context, {.gate = args.y,
                   .up = up,
                   .y = args.y,
                   .rows = args.rows,
                   .width = width,
                   .stride = width,
                   .y_stride = width});
}

void matmul_stacked(const Context& context, const StackedMatmulArgs& args) {
  const ProfileScope profile(context, "matmul_stacked", [&] { return cost_of(context, args); });
  if (args.rows == 0) return;
  const Weight& weight = *args.weight;
  const int64_t stack = weight.stack();
  const Arena::Scope scope(*context.arena);
  Columns* inputs = context.arena->take<Columns>(stack);
  Product* products = context.arena->take<Product>(stack);
  for (int64_t s = 0; s < stack; ++s) {
    inputs[s] = {
        .x = args.x + s * args.x_stack_stride, .stride = args.x_stride, .count = args.rows};
    products[s] = {.weight = &weight,
                   .matrix = s,
                   .input = &inputs[s],
                   .y = args.y + s * args.y_stack_stride,
                   .y_stride = args.y_stride};
  }
  PackForms forms;
  forms.add(context, weight);
  pack_columns(context, {inputs, static_cast<size_t>(stack)}, weight.cols(), forms);
  multiply(context, {products, static_cast<size_t>(stack)});
}

}  // namespace ponder
