// Running the same test on every instruction set of the machine.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "ops/runtime.hpp"

namespace ponder::testing {

inline Runtime make_runtime(Isa isa, int threads = 1,
                            Activations activations = Activations::kInt8) {
  auto runtime = Runtime::create(
      {.threads = threads, .isa = std::string(isa_name(isa)), .activations = activations});
  PONDER_CHECK(runtime.ok());
  return std::move(runtime).take_value();
}

// The instruction sets of this machine that differ in more than products of bytes, for which VNNI
// and AMX have kernels of their own.
inline std::vector<Isa> isas_without_byte_products() {
  auto isas = available_isas();
  std::erase_if(isas, [](Isa isa) { return isa > Isa::kAvx512; });
  return isas;
}

// body(context) for each of these; failures name it. Tests of products are TEST_P over
// available_isas().
template <typename Body>
void for_each_isa(int threads, Body&& body) {
  for (const Isa isa : isas_without_byte_products()) {
    SCOPED_TRACE(std::string(isa_name(isa)));
    const Runtime runtime = make_runtime(isa, threads);
    body(runtime.context());
  }
}

// run(context) returns a result; it must be the same, bit for bit, on 1, 2 and 3 threads.
template <typename Run>
void expect_threads_do_not_matter(Run&& run) {
  for (const Isa isa : isas_without_byte_products()) {
    SCOPED_TRACE(std::string(isa_name(isa)));
    const auto expected = run(make_runtime(isa, 1).context());
    for (const int threads : {2, 3}) EXPECT_EQ(run(make_runtime(isa, threads).context()), expected);
  }
}

}  // namespace ponder::testing
