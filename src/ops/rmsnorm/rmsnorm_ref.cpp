#include "ops/rmsnorm/rmsnorm_ref.hpp"

#include "ops/rmsnorm/rmsnorm.hpp"

namespace ponder::ref {

void rmsnorm(const RmsnormArgs& args, int64_t begin, int64_t end) noexcept {
  for (int64_t r = begin; r < end; ++r) {
    rmsnorm_row<float>(args.x + r * args.x_stride, args.g, args.y + r * args.y_stride, args.width,
                       args.epsilon);
  }
}

namespace {

void scales_of(const RmsnormBackwardArgs& args, float* scales, int64_t begin,
               int64_t end) noexcept {
  for (int64_t r = begin; r < end; ++r)
    scales[r] = rmsnorm_scale<float>(args.x + r * args.x_stride, args.width, args.epsilon);
}

void backward_rows(const RmsnormBackwardArgs& args, const float* scales, int64_t begin,
                   int64_t end) noexcept {
  for (int64_t r = begin; r < end; ++r) {
    rmsnorm_backward_row<float>(args.x + r * args.x_stride, args.g, args.dy + r * args.dy_stride,
                                args.dx + r * args.dx_stride, args.width, scales[r],
                                args.accumulate);
  }
}

void backward_columns(const RmsnormBackwardArgs& args, const float* scales, int64_t begin,
                      int64_t end) noexcept {
  for (int64_t i = begin; i < end; ++i) {
    double sum = 0.0;
    for (int64_t r = 0; r < args.rows; ++r) {
      const double x = static_cast<double>(args.x[r * args.x_stride + i]);
      sum +=
          static_cast<double>(args.dy[r * args.dy_stride + i]) * x * static_cast<double>(scales[r]);
    }
    args.dg[i] = static_cast<float>(static_cast<double>(args.dg[i]) + sum);
  }
}

}  // namespace

RmsnormBackwardKernels rmsnorm_backward_kernels() {
  return {.scales = scales_of, .rows = backward_rows, .columns = backward_columns};
}

}  // namespace ponder::ref
