// The scalar truth of addition.
#pragma once

#include <cstdint>

namespace ponder {

// a, b, y: (count); y may be a or b.
template <typename S>
void add_elements(const S* a, const S* b, S* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = a[i] + b[i];
}

}  // namespace ponder
