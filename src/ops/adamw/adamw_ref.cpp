#include "ops/adamw/adamw_ref.hpp"

namespace ponder::ref {

void adamw(const AdamwArgs& args, const AdamwFactors& factors, int64_t begin,
           int64_t end) noexcept {
  for (int64_t i = begin; i < end; ++i)
    adamw_element<float>(factors, args.gradients[i], args.values[i], args.m[i], args.v[i]);
}

}  // namespace ponder::ref
