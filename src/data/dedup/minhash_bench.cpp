// MinHash signatures alone, from texts in memory to the keys of their bands, one thread: words,
// shingles, hash functions. Documents: JSON lines in the file PONDER_BENCH_DOCUMENTS, else made up.
#include <benchmark/benchmark.h>

#include "base/env.hpp"
#include "base/rng.hpp"
#include "data/dedup/minhash.hpp"
#include "data/io/document.hpp"
#include "data/io/record_reader.hpp"
#include "device/cpu.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLongest = 64 << 20;

std::vector<std::string> made_up_texts() {
  Rng rng(1);
  std::vector<std::string> texts(1000);
  for (std::string& text : texts)
    for (int word = 0; word < 240; ++word)
      text += "word" + std::to_string(rng.next_below(5000)) + " ";
  return texts;
}

std::vector<std::string> texts_of(const std::string& path) {
  std::vector<std::string> texts;
  auto reader = RecordReader::open(path, RecordFormat::kJsonLines, kLongest, {});
  Record record;
  DocumentParser parser;
  Document document;
  while (reader.ok()) {
    const auto more = reader.value().next(record);
    if (!more.ok() || !more.value()) break;
    document.record.assign(record.bytes);
    if (record.bad.empty() && parser.parse({}, "bench", document).empty())
      texts.push_back(document.text);
  }
  return texts;
}

void sign(benchmark::State& state) {
  const auto isa = choose_isa("");
  const auto path = environment("PONDER_BENCH_DOCUMENTS");
  const std::vector<std::string> texts = path ? texts_of(*path) : made_up_texts();
  if (!isa.ok() || texts.empty()) return state.SkipWithError("there are no documents");
  const MinHash minhash({}, isa.value());
  int64_t bytes = 0;
  for (const std::string& text : texts) bytes += static_cast<int64_t>(text.size());
  for (auto _ : state)
    for (const std::string& text : texts)
      benchmark::DoNotOptimize(minhash.band_keys(minhash.shingles(normal_words(text))));
  const auto rounds = static_cast<int64_t>(state.iterations());
  state.SetBytesProcessed(rounds * bytes);
  state.SetItemsProcessed(rounds * static_cast<int64_t>(texts.size()));
}
BENCHMARK(sign)->Name("minhash/signatures")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ponder
