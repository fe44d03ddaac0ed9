// Q4_K rows; the rate counts the f32 that come out.
#include "ops/embedding/embedding.hpp"
#include "quant/codec.hpp"
#include "testing/bench.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

int64_t time_embedding(benchmark::State& state, const Context& context, int64_t rows,
                       int64_t width) {
  const auto values = testing::random_floats(1, rows * width);
  const auto stride =
      static_cast<int64_t>(row_bytes(DType::kQ4_K, static_cast<uint64_t>(width)).value());
  std::vector<std::byte> table(static_cast<size_t>(rows * stride));
  std::vector<int32_t> tokens;
  for (int64_t v = 0; v < rows; ++v) {
    encode_row(DType::kQ4_K, values.data() + v * width, width, table.data() + v * stride);
    tokens.push_back(static_cast<int32_t>(v));
  }
  std::vector<float> out(values.size());
  for (auto _ : state) {
    embedding(context, {.table = {DType::kQ4_K, Shape::of({rows, width}), table},
                        .tokens = tokens.data(),
                        .out = out.data(),
                        .count = rows});
    benchmark::ClobberMemory();
  }
  return rows * width * 4;
}
const bool registered =
    testing::time_on_each_isa("embedding", {{1, 1536}, {512, 1536}}, time_embedding);

}  // namespace
}  // namespace ponder
