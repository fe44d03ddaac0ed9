#include "ops/swiglu/swiglu.hpp"
#include "testing/bench.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

int64_t time_swiglu(benchmark::State& state, const Context& context, int64_t rows, int64_t width) {
  const auto gate = testing::random_floats(1, rows * width);
  const auto up = testing::random_floats(2, rows * width);
  std::vector<float> y(gate.size());
  for (auto _ : state) {
    swiglu(context, {.gate = gate.data(),
                     .up = up.data(),
                     .y = y.data(),
                     .rows = rows,
                     .width = width,
                     .stride = width,
                     .y_stride = width});
    benchmark::ClobberMemory();
  }
  return 3 * rows * width * 4;
}
const bool registered =
    testing::time_on_each_isa("swiglu", {{1, 8960}, {1, 18944}, {512, 8960}}, time_swiglu);

}  // namespace
}  // namespace ponder
