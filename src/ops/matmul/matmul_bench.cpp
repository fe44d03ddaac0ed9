// Speed of products on real shapes: G multiply-adds/s, and GB/s of packed weight.
//   build/release/ops_bench --benchmark_filter=matmul
#include <benchmark/benchmark.h>

#include <vector>

#include "base/rng.hpp"
#include "ops/matmul/matmul.hpp"
#include "ops/runtime.hpp"
#include "quant/codec.hpp"

namespace ponder {
namespace {

struct Shape2 {
  const char* name;
  DType dtype;
  int64_t rows, cols;
};

// Qwen2.5 0.5B and 1.5B feed-forward and output layers, and a large enough one to leave the caches.
constexpr Shape2 kShapes[] = {
    {"0.5B gate q5_0", DType::kQ5_0, 4864, 896},  {"0.5B down q6_k", DType::kQ6_K, 896, 4864},
    {"0.5B out q8_0", DType::kQ8_0, 151936, 896}, {"1.5B gate q4_k", DType::kQ4_K, 8960, 1536},
    {"1.5B down q6_k", DType::kQ6_K, 1536, 8960}, {"q4_0", DType::kQ4_0, 8192, 4096},
    {"bf16", DType::kBF16, 4096, 4096},           {"f8_e4m3", DType::kF8E4M3, 4096, 4096},
};

void matmul_speed(benchmark::State& state, const Shape2& shape, Isa isa, int64_t count) {
  const Runtime runtime =
      std::move(Runtime::create({.isa = std::string(isa_name(isa))})).take_value();
  const auto stride =
      static_cast<size_t>(*row_bytes(shape.dtype, static_cast<uint64_t>(shape.cols)));
  std::vector<std::byte> bytes(stride * static_cast<size_t>(shape.rows));
  Rng rng(1);
  std::vector<float> row(static_cast<size_t>(shape.cols));
  for (auto& value : row) value = rng.next_normal();
  encode_row(shape.dtype, row.data(), shape.cols, bytes.data());
  for (int64_t n = 1; n < shape.rows; ++n)
    __builtin_memcpy(bytes.data() + static_cast<size_t>(n) * stride, bytes.data(), stride);
  const Weight weight = Weight::pack(
      runtime.context(),
      {.dtype = shape.dtype, .shape = Shape::of({shape.rows, shape.cols}), .bytes = bytes});
  std::vector<float> x(static_cast<size_t>(count * shape.cols), 0.5f);
  std::vector<float> y(static_cast<size_t>(count * shape.rows));
  for (auto _ : state) {
    matmul(runtime.context(), x.data(), count,
           {.weight = &weight, .y = y.data(), .y_stride = shape.rows});
    benchmark::ClobberMemory();
  }
  const double macs = static_cast<double>(shape.rows * shape.cols * count);
  const auto runs = static_cast<double>(state.iterations());
  state.counters["GMAC/s"] = benchmark::Counter(macs * runs * 1e-9, benchmark::Counter::kIsRate);
  state.counters["GB/s"] = benchmark::Counter(static_cast<double>(weight.bytes()) * runs * 1e-9,
                                              benchmark::Counter::kIsRate);
}

const bool kRegistered = [] {
  for (const Isa isa : available_isas()) {
    if (isa == Isa::kRef) continue;
    for (const Shape2& shape : kShapes) {
      for (const int64_t count : {1, 4, 16, 512}) {
        const std::string name = "matmul/" + std::string(isa_name(isa)) + "/" + shape.name +
                                 "/T=" + std::to_string(count);
        benchmark::RegisterBenchmark(
            name.c_str(), [=](benchmark::State& state) { matmul_speed(state, shape, isa, count); })
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond)
            ->MinTime(0.05);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace ponder
