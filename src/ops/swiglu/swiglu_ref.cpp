#include "ops/swiglu/swiglu_ref.hpp"

#include "ops/swiglu/swiglu.hpp"

namespace ponder::ref {

void swiglu(const SwigluArgs& args, int64_t begin, int64_t end) noexcept {
  for (int64_t r = begin; r < end; ++r) {
    swiglu_row<float>(args.gate + r * args.stride, args.up + r * args.stride,
                      args.y + r * args.y_stride, args.width);
  }
}

void swiglu_backward(const SwigluBackwardArgs& args, int64_t begin, int64_t end) noexcept {
  for (int64_t r = begin; r < end; ++r) {
    swiglu_backward_row<float>(args.gate + r * args.stride, args.up + r * args.stride,
                               args.dy + r * args.dy_stride, args.dgate + r * args.out_stride,
                               args.dup + r * args.out_stride, args.width);
  }
}

}  // namespace ponder::ref
