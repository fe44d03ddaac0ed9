// Addition over a vector type V.
#include "ops/add/add.hpp"

namespace ponder {

template <typename V>
PONDER_INLINE void add_elements(const AddArgs& args, int64_t begin, int64_t end) {
  int64_t i = begin;
  for (; i + V::kLanes <= end; i += V::kLanes)
    V::store(args.y + i, V::add(V::load(args.a + i), V::load(args.b + i)));
  if (const int rest = static_cast<int>(end - i); rest > 0) {
    const auto sum = V::add(V::load_prefix(args.a + i, rest), V::load_prefix(args.b + i, rest));
    V::store_prefix(args.y + i, sum, rest);
  }
}

}  // namespace ponder
