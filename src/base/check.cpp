#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace ponder {

void check_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "ponder: broken invariant at %s:%d: %s\nThis is a bug in Ponder.\n", file,
               line, condition);
  std::abort();
}

}  // namespace ponder
