#include "ops/matmul/matmul_backward.hpp"

#include <algorithm>

#include "base/checked_math.hpp"
#include "base/macros.hpp"
#include "ops/cost.hpp"
#include "ops/matmul/product_backward.hpp"
#include "ops/split.hpp"

namespace ponder {
namespace {

// db += Σ_t dy, chunk by chunk.
void backward_bias(const Context& context, const MatmulBackwardArgs& args) {
  constexpr int64_t kBlock = 64;  // outputs whose sums are held together
  const int64_t outputs = args.weight->rows(), rows = args.rows;
  const int64_t blocks = ceil_div(outputs, kBlock);
  for_row_ranges(context, blocks, rows * kBlock, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin * kBlock; n < std::min(end * kBlock, outputs); n += kBlock) {
      const int64_t width = std::min(kBlock, outputs - n);
      for (int64_t first = 0; first < rows; first += kGradientChunk) {
        float sums[kBlock] = {};
        for (int64_t t = first; t < std::min(first + kGradientChunk, rows); ++t) {
          const float* dy = args.dy.data + t * args.dy.stride + n;
          for (int64_t i = 0; i < width; ++i) sums[i] += dy[i];
        }
        for (int64_t i = 0; i < width; ++i) args.dbias[n + i] += sums[i];
      }
    }
  });
}

Columns columns_of(const RowsView& view, int64_t matrix, int64_t rows) {
  return {.x = view.data + matrix * view.stack_stride, .stride = view.stride, .count = rows};
}

}  // namespace

void matmul_backward(const Context& context, const MatmulBackwardArgs& args) {
  const ProfileScope profile(context, "matmul_backward", [&] { return cost_of(args); });
  const Weight& weight = *args.weight;
  const int64_t stack = weight.stack();
  PONDER_CHECK(args.dbias == nullptr || stack == 1);
  const auto count = static_cast<size_t>(stack);
  const Arena::Scope scope(*context.arena);
  if (args.dx.data != nullptr) {
    auto* gradients = context.arena->take<InputGradient>(stack);
    for (int64_t s = 0; s < stack; ++s)
      gradients[s] = {.weight = &weight,
                      .matrix = s,
                      .dy = columns_of(args.dy, s, args.rows),
                      .dx = args.dx.data + s * args.dx.stack_stride,
                      .dx_stride = args.dx.stride,
                      .accumulate = args.accumulate};
    backward_inputs(context, {gradients, count});
  }
  if (args.dw != nullptr) {
    auto* gradients = context.arena->take<WeightGradient>(stack);
    for (int64_t s = 0; s < stack; ++s)
      gradients[s] = {.weight = &weight,
                      .matrix = s,
                      .dy = columns_of(args.dy, s, args.rows),
                      .x = columns_of(args.x, s, args.rows),
                      .dw = args.dw};
    backward_weights(context, {gradients, count});
  }
  if (args.dbias != nullptr) backward_bias(context, args);
}

}  // namespace ponder
