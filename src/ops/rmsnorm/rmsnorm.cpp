#include "ops/rmsnorm/rmsnorm.hpp"

#include <algorithm>

#include "base/checked_math.hpp"
#include "base/macros.hpp"
#include "ops/cost.hpp"
#include "ops/kernel_table.hpp"
#include "ops/split.hpp"

namespace ponder {

void rmsnorm(const Context& context, const RmsnormArgs& args) {
  const ProfileScope profile(context, "rmsnorm", [&] { return cost_of(args); });
  PONDER_CHECK(args.rows >= 0 && args.width > 0);
  PONDER_CHECK(args.rows <= 1 || (args.x_stride >= args.width && args.y_stride >= args.width));
  for_row_ranges(context, args.rows, args.width,
                 [&](int64_t begin, int64_t end) { context.kernels->rmsnorm(args, begin, end); });
}

void rmsnorm_backward(const Context& context, const RmsnormBackwardArgs& args) {
  const ProfileScope profile(context, "rmsnorm_backward", [&] { return cost_of(args); });
  PONDER_CHECK(args.rows >= 0 && args.width > 0);
  const RmsnormBackwardKernels& kernels = context.kernels->rmsnorm_backward;
  const Arena::Scope scope(*context.arena);
  float* scales = context.arena->take<float>(args.rows);
  for_row_ranges(context, args.rows, args.width,
                 [&](int64_t begin, int64_t end) { kernels.scales(args, scales, begin, end); });
  if (args.dg != nullptr) {  // before dx, which may take the place of dy
    constexpr int64_t kBlock = 64;
    const int64_t blocks = ceil_div(args.width, kBlock);
    for_row_ranges(context, blocks, args.rows * kBlock, [&](int64_t begin, int64_t end) {
      kernels.columns(args, scales, begin * kBlock, std::min(end * kBlock, args.width));
    });
  }
  for_row_ranges(context, args.rows, 2 * args.width,
                 [&](int64_t begin, int64_t end) { kernels.rows(args, scales, begin, end); });
}

}  // namespace ponder
