// Encoding speed, one thread. Without a model file the small golden vocabulary serves, whose many
// short tokens make it slower to merge.
#include <benchmark/benchmark.h>

#include "base/file.hpp"
#include "text/tokenizer.hpp"

namespace ponder {
namespace {

std::string mixed_text() {
  const std::string text = read_file("tests/golden/text/mixed.txt", 1 << 20).take_value();
  std::string repeated;
  while (repeated.size() < 1 << 20) repeated += text;
  return repeated;
}

void encode(benchmark::State& state, const char* name) {
  const Tokenizer tokenizer =
      Tokenizer::load(std::string("tests/golden/text/") + name + ".tokenizer.json").take_value();
  const std::string text = mixed_text();
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer.encode(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

BENCHMARK_CAPTURE(encode, deepseek_v3, "deepseek-v3")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, qwen2, "qwen2")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, llama3, "llama3")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, deepseek_llm, "deepseek-llm")->Unit(benchmark::kMillisecond);

void cut(benchmark::State& state, const char* name) {
  const Tokenizer tokenizer =
      Tokenizer::load(std::string("tests/golden/text/") + name + ".tokenizer.json").take_value();
  const std::string text = mixed_text();
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer.pieces(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

BENCHMARK_CAPTURE(cut, deepseek_v3, "deepseek-v3")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ponder
