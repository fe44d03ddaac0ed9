// Timing one op on every instruction set of the machine, on one thread.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "ops/runtime.hpp"

namespace ponder::testing {

// body(state, context, rows, width) for each instruction set and each (rows, width); returns the
// bytes that one iteration has to move, from which the rate follows. The body holds the loop.
// Call from the initialiser of a static variable.
template <typename Body>
bool time_on_each_isa(const std::string& name,
                      const std::vector<std::pair<int64_t, int64_t>>& sizes, Body body) {
  for (const Isa isa : available_isas()) {
    const auto run = [isa, body](benchmark::State& state) {
      auto runtime = Runtime::create({.threads = 1, .isa = std::string(isa_name(isa))});
      PONDER_CHECK(runtime.ok());
      const int64_t bytes = body(state, runtime.value().context(), state.range(0), state.range(1));
      state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * bytes);
    };
    auto* bench =
        benchmark::RegisterBenchmark((name + '/' + std::string(isa_name(isa))).c_str(), run);
    bench->ArgNames({"rows", "width"})->Unit(benchmark::kMicrosecond);
    for (const auto& [rows, width] : sizes) bench->Args({rows, width});
  }
  return true;
}

}  // namespace ponder::testing
