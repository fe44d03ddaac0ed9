// Speed of the scalar codec, a million weights a call.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/rng.hpp"
#include "quant/codec.hpp"
#include "quant/formats.hpp"

namespace ponder {
namespace {

constexpr int64_t kElements = 1 << 20;

std::vector<float> weights() {
  Rng rng(1);
  std::vector<float> values(kElements);
  for (float& v : values) v = 0.02f * rng.next_normal();
  return values;
}

void report(benchmark::State& state, DType dtype) {
  state.SetItemsProcessed(state.iterations() * kElements);
  state.SetBytesProcessed(state.iterations() *
                          static_cast<int64_t>(row_bytes(dtype, kElements).value()));
}

void encode(benchmark::State& state, DType dtype) {
  const auto in = weights();
  std::vector<std::byte> row(row_bytes(dtype, kElements).value());
  for (auto _ : state) {
    encode_row(dtype, in.data(), kElements, row.data());
    benchmark::ClobberMemory();
  }
  report(state, dtype);
}

void decode(benchmark::State& state, DType dtype) {
  std::vector<float> values = weights();
  std::vector<std::byte> row(row_bytes(dtype, kElements).value());
  encode_row(dtype, values.data(), kElements, row.data());
  for (auto _ : state) {
    decode_row(dtype, row.data(), kElements, values.data());
    benchmark::ClobberMemory();
  }
  report(state, dtype);
}

const bool kRegistered = [] {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (!is_format(dtype)) continue;
    const std::string name(dtype_name(dtype));
    benchmark::RegisterBenchmark(("quant/encode/" + name).c_str(), encode, dtype);
    benchmark::RegisterBenchmark(("quant/decode/" + name).c_str(), decode, dtype);
  }
  return true;
}();

}  // namespace
}  // namespace ponder
