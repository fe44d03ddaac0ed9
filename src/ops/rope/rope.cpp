#include "ops/rope/rope.hpp"

#include "base/macros.hpp"
#include "ops/cost.hpp"
#include "ops/kernel_table.hpp"
#include "ops/split.hpp"

namespace ponder {
namespace {

// A cosine and a sine of libm cost as much as this many elements of a simple loop.
constexpr int64_t kAngleCost = 32;

}  // namespace

void rope(const Context& context, const RopeArgs& args) {
  const ProfileScope profile(context, "rope", [&] { return cost_of(args); });
  PONDER_CHECK(args.tokens >= 0 && args.heads > 0);
  PONDER_CHECK(args.dims > 0 && args.dims % 2 == 0 && args.dims <= kMaxRopeDims);
  PONDER_CHECK(args.heads == 1 || args.head_stride >= args.dims);
  const int64_t cost = args.dims / 2 * kAngleCost + args.heads * args.dims;
  for_row_ranges(context, args.tokens, cost,
                 [&](int64_t begin, int64_t end) { context.kernels->rope(args, begin, end); });
}

}  // namespace ponder
