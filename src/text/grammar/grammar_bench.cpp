// How long masks take: with the tokenizer of the file that PONDER_BENCH_TOKENIZER names (of a real
// model, for figures that mean something), else with a small one. A `cold` constraint has just been
// compiled, a `warm` one has written the same text before. Times are of a whole text; `token` is a
// token's part of it.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "text/grammar/constraint.hpp"

namespace ponder {
namespace {

const ConstraintCache& shared_cache() {
  static const ConstraintCache cache = [] {
    const char* path = std::getenv("PONDER_BENCH_TOKENIZER");
    return ConstraintCache(
        Tokenizer::load(path != nullptr ? path : "tests/golden/text/qwen2.tokenizer.json")
            .take_value());
  }();
  return cache;
}

constexpr const char* kPerson = R"({"type": "object", "properties": {
  "name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 130},
  "email": {"type": "string", "format": "email"}, "motto": {"type": "string", "maxLength": 80},
  "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
  "born": {"type": "string", "format": "date"}}, "required": ["name", "age", "motto", "tags"]})";
constexpr const char* kPersonText =
    R"({"name": "Ada Lovelace", "age": 36, "email": "ada@example.com", )"
    R"("motto": "The Analytical Engine weaves algebraic patterns", )"
    R"("tags": ["mathematics", "poetry", "Jacquard loom"], "born": "1815-12-10"})";
constexpr const char* kAnyText =
    R"({"title": "A list of things", "items": [{"id": 1, "ok": true, "note": "first of all"}, )"
    R"({"id": 2, "ok": false, "note": null}], "nested": {"deep": {"deeper": ["and so on", 3.25]}}})";
constexpr const char* kWords = "([A-Z][a-z]+ )+[a-z]+\\.";
constexpr const char* kWordsText = "The Quick Brown Fox Jumps Over lazy.";
constexpr const char* kGbnf = R"gbnf(root ::= "{" ws pair ("," ws pair)* "}" ws
pair ::= string ":" ws value
value ::= string | number | "{" ws pair ("," ws pair)* "}" ws
string ::= "\"" ([^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}))* "\"" ws
number ::= "-"? [0-9]+ ("." [0-9]+)? ws
ws ::= " "?
)gbnf";
constexpr const char* kGbnfText =
    R"({"city": "Paris", "population": 2102650, "mayor": {"name": "Anne Hidalgo", "since": 2014}})";

// Writes the text, asking for the mask of every token. Returns whether it was allowed.
bool write(const Constraint& constraint, const std::vector<int32_t>& tokens) {
  const auto guide = constraint.make_guide();
  for (const int32_t token : tokens) {
    const auto allowed = guide->allowed();
    if ((allowed[static_cast<size_t>(token) / 64] >> (token % 64) & 1) == 0) return false;
    guide->accept(token);
  }
  return true;
}

void mask(benchmark::State& state, const ConstraintSource& source, const char* text, bool cold) {
  const auto& vocabulary = shared_cache().vocabulary();
  const auto tokens = vocabulary->tokenizer().encode(text, {.add_bos = false});
  auto constraint = compile_constraint(vocabulary, source).take_value();
  if (!write(*constraint, tokens)) return state.SkipWithError("the text is not allowed");
  for (auto _ : state) {
    if (cold) {
      state.PauseTiming();
      constraint = compile_constraint(vocabulary, source).take_value();
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize(write(*constraint, tokens));
  }
  state.counters["token"] = benchmark::Counter(
      static_cast<double>(tokens.size()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void compile(benchmark::State& state, const ConstraintSource& source) {
  for (auto _ : state)
    benchmark::DoNotOptimize(compile_constraint(shared_cache().vocabulary(), source));
}

void vocabulary(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(TokenVocabulary::create(shared_cache().vocabulary()->tokenizer()));
}

const auto kSchema = ConstraintSource::json_schema(kPerson);
BENCHMARK_CAPTURE(mask, schema_cold, kSchema, kPersonText, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(mask, schema_warm, kSchema, kPersonText, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(mask, json_object_cold, ConstraintSource::json_object(), kAnyText, true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(mask, json_object_warm, ConstraintSource::json_object(), kAnyText, false)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(mask, regex_cold, ConstraintSource::regex(kWords), kWordsText, true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(mask, gbnf_cold, ConstraintSource::grammar(kGbnf), kGbnfText, true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile, schema, kSchema)->Unit(benchmark::kMillisecond);
BENCHMARK(vocabulary)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ponder
