#include "ops/rmsnorm/rmsnorm.hpp"

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

}  // namespace ponder
