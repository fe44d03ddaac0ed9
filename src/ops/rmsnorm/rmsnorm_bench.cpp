#include "ops/rmsnorm/rmsnorm.hpp"
#include "testing/bench.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

int64_t time_rmsnorm(benchmark::State& state, const Context& context, int64_t rows, int64_t width) {
  const auto x = testing::random_floats(1, rows * width), g = testing::random_floats(2, width);
  std::vector<float> y(x.size());
  for (auto _ : state) {
    rmsnorm(context, {.x = x.data(),
                      .g = g.data(),
                      .y = y.data(),
                      .rows = rows,
                      .width = width,
                      .x_stride = width,
                      .y_stride = width});
    benchmark::ClobberMemory();
  }
  return 2 * rows * width * 4;
}
const bool registered =
    testing::time_on_each_isa("rmsnorm", {{1, 1536}, {1, 7168}, {512, 1536}}, time_rmsnorm);

}  // namespace
}  // namespace ponder
