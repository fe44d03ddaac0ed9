// Splitting the rows of an op over the threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "device/context.hpp"

namespace ponder {

// Elements worth a task of their own: some microseconds of work, more than waking a thread costs.
inline constexpr int64_t kElementsPerTask = 8192;

// body(begin, end) over ranges that cover [0, rows), on the threads if there is enough to do.
// `row_elements`: what one row costs, in elements of a simple loop.
template <typename Body>
void for_row_ranges(const Context& context, int64_t rows, int64_t row_elements, Body&& body) {
  const int64_t threads = context.pool->size();
  const int64_t worth = rows * row_elements / kElementsPerTask;
  const int64_t tasks = std::min({rows, worth, 4 * threads});
  if (threads == 1 || tasks <= 1) {
    if (rows > 0) body(int64_t{0}, rows);
    return;
  }
  context.pool->run(
      tasks, [&](int64_t task, int) { body(rows * task / tasks, rows * (task + 1) / tasks); });
}

}  // namespace ponder
