#include "ops/add/add.hpp"
#include "testing/bench.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

int64_t time_add(benchmark::State& state, const Context& context, int64_t rows, int64_t width) {
  const auto a = testing::random_floats(1, rows * width);
  auto b = testing::random_floats(2, rows * width);
  for (auto _ : state) {
    add(context, {.a = a.data(), .b = b.data(), .y = b.data(), .count = rows * width});
    benchmark::ClobberMemory();
  }
  return 3 * rows * width * 4;
}
const bool registered = testing::time_on_each_isa("add", {{1, 1536}, {512, 1536}}, time_add);

}  // namespace
}  // namespace ponder
