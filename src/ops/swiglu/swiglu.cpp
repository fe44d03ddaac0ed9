#include "ops/swiglu/swiglu.hpp"

#include "base/macros.hpp"
#include "ops/cost.hpp"
#include "ops/kernel_table.hpp"
#include "ops/split.hpp"

namespace ponder {

void swiglu(const Context& context, const SwigluArgs& args) {
  const ProfileScope profile(context, "swiglu", [&] { return cost_of(args); });
  PONDER_CHECK(args.rows >= 0 && args.width > 0);
  PONDER_CHECK(args.rows <= 1 || (args.stride >= args.width && args.y_stride >= args.width));
  for_row_ranges(context, args.rows, 4 * args.width,
                 [&](int64_t begin, int64_t end) { context.kernels->swiglu(args, begin, end); });
}

void swiglu_backward(const Context& context, const SwigluBackwardArgs& args) {
  const ProfileScope profile(context, "swiglu_backward", [&] { return cost_of(args); });
  PONDER_CHECK(args.rows >= 0 && args.width > 0);
  PONDER_CHECK(args.rows <= 1 || (args.stride >= args.width && args.dy_stride >= args.width &&
                                  args.out_stride >= args.width));
  for_row_ranges(context, args.rows, 5 * args.width, [&](int64_t begin, int64_t end) {
    context.kernels->swiglu_backward(args, begin, end);
  });
}

}  // namespace ponder
