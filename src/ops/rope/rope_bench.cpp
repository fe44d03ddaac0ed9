// Twelve heads of 128, in halves; rows are tokens.
#include <cmath>

#include "ops/rope/rope.hpp"
#include "testing/bench.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

constexpr int64_t kDims = 128;

int64_t time_rope(benchmark::State& state, const Context& context, int64_t rows, int64_t width) {
  auto x = testing::random_floats(1, rows * width);
  std::vector<int32_t> positions;
  for (int64_t t = 0; t < rows; ++t) positions.push_back(static_cast<int32_t>(1000 + t));
  std::vector<float> inv_freq;
  for (int j = 0; j < kDims / 2; ++j)
    inv_freq.push_back(std::pow(1e4f, -static_cast<float>(j) / 64));
  for (auto _ : state) {
    rope(context, {.x = x.data(),
                   .positions = positions.data(),
                   .inv_freq = inv_freq.data(),
                   .tokens = rows,
                   .heads = width / kDims,
                   .dims = kDims,
                   .token_stride = width,
                   .head_stride = kDims});
    benchmark::ClobberMemory();
  }
  return 2 * rows * width * 4;
}
const bool registered = testing::time_on_each_isa("rope", {{1, 1536}, {512, 1536}}, time_rope);

}  // namespace
}  // namespace ponder
