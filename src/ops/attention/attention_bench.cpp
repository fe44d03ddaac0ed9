// Attention of one layer. Arguments of a case: tokens at once, positions already in the cache.
// Counters: multiply-adds a second of the scores and sums that causality needs, and bytes of cache
// read a second if each were read once.
#include <benchmark/benchmark.h>

#include <cmath>

#include "ops/attention/attention.hpp"
#include "ops/attention/kv_testing.hpp"
#include "ops/runtime.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

struct Shape {
  int64_t heads, key_heads, key_dim, value_dim;
  KvLayout layout = KvLayout::kBlocked;
};
constexpr Shape kQwen05 = {14, 2, 64, 64};
constexpr Shape kQwen15 = {12, 2, 128, 128};
constexpr Shape kLlama = {32, 8, 128, 128};
constexpr Shape kV2Lite = {16, 1, 576, 512, KvLayout::kLatent};

void attend(benchmark::State& state, const Shape& shape, DType dtype) {
  const int64_t tokens = state.range(0), position = state.range(1);
  auto runtime = Runtime::create();
  if (!runtime.ok()) return state.SkipWithError("no runtime");
  const Runtime owner = std::move(runtime).take_value();
  const Context& context = owner.context();

  const testing::KvMemory memory({.dtype = dtype,
                                  .layout = shape.layout,
                                  .heads = shape.key_heads,
                                  .key_dim = shape.key_dim,
                                  .value_dim = shape.value_dim},
                                 position + tokens, std::byte{0});
  const KvView& cache = memory.view;
  const auto new_keys = testing::random_floats(1, shape.key_heads * shape.key_dim);
  const auto new_values = testing::random_floats(2, shape.key_heads * shape.value_dim);
  for (int64_t t = 0; t < position + tokens; ++t)
    kv_write(context, {.keys = new_keys.data(),
                       .values = new_values.data(),
                       .cache = cache,
                       .tokens = 1,
                       .position = t});

  const auto q = testing::random_floats(3, tokens * shape.heads * shape.key_dim);
  std::vector<float> out(static_cast<size_t>(tokens * shape.heads * shape.value_dim));
  const AttentionArgs args{.q = q.data(),
                           .out = out.data(),
                           .cache = cache,
                           .tokens = tokens,
                           .heads = shape.heads,
                           .q_stride = shape.heads * shape.key_dim,
                           .position = position,
                           .scale = 1.0f / std::sqrt(static_cast<float>(shape.key_dim))};
  for (auto _ : state) attention(context, args);

  const auto pairs = static_cast<double>(tokens * position + tokens * (tokens + 1) / 2);
  using benchmark::Counter;
  state.counters["madds"] =
      Counter(pairs * static_cast<double>(shape.heads * (shape.key_dim + shape.value_dim)),
              Counter::kIsIterationInvariantRate);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(memory.memory.size() * memory.memory[0].size()));
}

void cases(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"tokens", "position"})->UseRealTime()->Unit(benchmark::kMicrosecond);
  for (const int64_t position : {512, 8192, 65536}) bench->Args({1, position});
  bench->Args({4, 512})->Args({512, 0})->Args({512, 7680});
}
BENCHMARK_CAPTURE(attend, qwen_0_5b, kQwen05, DType::kF16)->Apply(cases);
BENCHMARK_CAPTURE(attend, qwen_1_5b, kQwen15, DType::kF16)->Apply(cases);
BENCHMARK_CAPTURE(attend, qwen_1_5b_bf16, kQwen15, DType::kBF16)->Apply(cases);
BENCHMARK_CAPTURE(attend, qwen_1_5b_q8_0, kQwen15, DType::kQ8_0)->Apply(cases);
BENCHMARK_CAPTURE(attend, llama_8b, kLlama, DType::kF16)->Apply(cases);
BENCHMARK_CAPTURE(attend, llama_8b_q8_0, kLlama, DType::kQ8_0)->Apply(cases);
BENCHMARK_CAPTURE(attend, v2_lite_absorbed, kV2Lite, DType::kF16)->Apply(cases);
BENCHMARK_CAPTURE(attend, v2_lite_absorbed_q8_0, kV2Lite, DType::kQ8_0)->Apply(cases);

}  // namespace
}  // namespace ponder
