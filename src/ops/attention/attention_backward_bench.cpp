// The gradient of attention of one layer. Argument of a case: tokens of the sequence. Counter:
// multiply-adds a second that the gradient needs (cost.hpp).
#include <benchmark/benchmark.h>

#include "ops/attention/attention.hpp"
#include "ops/attention/kv_testing.hpp"
#include "ops/cost.hpp"
#include "ops/runtime.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

struct Shape {
  int64_t heads, key_heads, key_dim, value_dim;
  KvLayout layout = KvLayout::kBlocked;
};
constexpr Shape kQwen05 = {14, 2, 64, 64};
constexpr Shape kSmallLatent = {8, 1, 80, 64, KvLayout::kLatent};

void differentiate(benchmark::State& state, const Shape& s) {
  const int64_t tokens = state.range(0);
  auto runtime = Runtime::create();
  if (!runtime.ok()) return state.SkipWithError("no runtime");
  const Runtime owner = std::move(runtime).take_value();
  const testing::KvMemory memory({.dtype = DType::kF32,
                                  .layout = s.layout,
                                  .heads = s.key_heads,
                                  .key_dim = s.key_dim,
                                  .value_dim = s.value_dim},
                                 tokens, std::byte{0});
  const auto numbers = [&](uint64_t seed, int64_t width) {
    return testing::random_floats(seed, tokens * width);
  };
  const auto q = numbers(1, s.heads * s.key_dim), dout = numbers(2, s.heads * s.value_dim);
  auto out = dout, log_sums = numbers(3, s.heads), dq = q;
  auto dkeys = numbers(4, s.key_heads * s.key_dim), dvalues = numbers(5, s.key_heads * s.value_dim);
  const AttentionBackwardArgs args{.q = q.data(),
                                   .out = out.data(),
                                   .log_sums = log_sums.data(),
                                   .dout = dout.data(),
                                   .cache = memory.view,
                                   .tokens = tokens,
                                   .heads = s.heads,
                                   .q_stride = s.heads * s.key_dim,
                                   .scale = 0.125f,
                                   .dq = dq.data(),
                                   .dkeys = dkeys.data(),
                                   .dvalues = dvalues.data()};
  for (auto _ : state) attention_backward(owner.context(), {&args, 1});
  using benchmark::Counter;
  state.counters["madds"] = Counter(static_cast<double>(cost_of({&args, 1}).float_products),
                                    Counter::kIsIterationInvariantRate);
}

BENCHMARK_CAPTURE(differentiate, qwen_0_5b, kQwen05)->Arg(128)->Arg(1024)->UseRealTime();
BENCHMARK_CAPTURE(differentiate, small_latent, kSmallLatent)->Arg(128)->Arg(1024)->UseRealTime();

}  // namespace
}  // namespace ponder
