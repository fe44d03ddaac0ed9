#include "ops/rmsnorm/rmsnorm_ref.hpp"

#include "ops/rmsnorm/rmsnorm.hpp"

namespace ponder::ref {

void rmsnorm(const RmsnormArgs& args, int64_t begin, int64_t end) noexcept {
  for (int64_t r = begin; r < end; ++r) {
    rmsnorm_row<float>(args.x + r * args.x_stride, args.g, args.y + r * args.y_stride, args.width,
                       args.epsilon);
  }
}

}  // namespace ponder::ref
