#include "ops/add/add.hpp"

#include "base/macros.hpp"
#include "ops/cost.hpp"
#include "ops/kernel_table.hpp"
#include "ops/split.hpp"

namespace ponder {

void add(const Context& context, const AddArgs& args) {
  const ProfileScope profile(context, "add", [&] { return cost_of(args); });
  PONDER_CHECK(args.count >= 0);
  for_row_ranges(context, args.count, 1,
                 [&](int64_t begin, int64_t end) { context.kernels->add(args, begin, end); });
}

}  // namespace ponder
