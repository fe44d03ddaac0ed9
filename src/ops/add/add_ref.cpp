#include "ops/add/add_ref.hpp"

#include "ops/add/add.hpp"

namespace ponder::ref {

void add(const AddArgs& args, int64_t begin, int64_t end) noexcept {
  add_elements<float>(args.a + begin, args.b + begin, args.y + begin, end - begin);
}

}  // namespace ponder::ref
