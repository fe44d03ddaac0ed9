// One token from a vocabulary of 151936, on one thread: it has no kernels.
#include "ops/sample/sample.hpp"

#include <benchmark/benchmark.h>

#include "testing/numbers.hpp"

namespace ponder {
namespace {

void time_sample(benchmark::State& state, const SamplingOptions& options) {
  auto logits = testing::random_floats(1, 151936);
  for (float& v : logits) v *= 3.0f;
  for (size_t i = 1000; i < 1100; ++i) logits[i] += 18.0f;  // as far above the rest as in a model
  uint64_t draw = 0;
  for (auto _ : state) benchmark::DoNotOptimize(sample(logits, {}, options, draw++));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * std::ssize(logits) * 4);
}
BENCHMARK_CAPTURE(time_sample, greedy, SamplingOptions{})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(time_sample, all, SamplingOptions{.temperature = 0.6f})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(time_sample, top_p, SamplingOptions{.temperature = 0.6f, .top_p = 0.95f})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(time_sample, top_k,
                  SamplingOptions{.temperature = 0.6f, .top_k = 40, .top_p = 0.95f})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace ponder
