// The router of R1: 8 of 256 experts in 4 of 8 groups; rows are tokens.
#include "ops/gate/gate.hpp"
#include "testing/bench.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

int64_t time_gate(benchmark::State& state, const Context& context, int64_t rows, int64_t width) {
  const GateConfig config = {.experts = static_cast<int>(width),
                             .chosen = 8,
                             .groups = 8,
                             .groups_kept = 4,
                             .score = GateScore::kSigmoid,
                             .choice = GateChoice::kGroupTop2,
                             .normalise = true,
                             .scale = 2.5f};
  const auto logits = testing::random_floats(1, rows * width);
  const auto bias = testing::random_floats(2, width);
  std::vector<int32_t> experts(static_cast<size_t>(rows * config.chosen));
  std::vector<float> weights(experts.size());
  for (auto _ : state) {
    gate(context, {.config = &config,
                   .logits = logits.data(),
                   .bias = bias.data(),
                   .experts = experts.data(),
                   .weights = weights.data(),
                   .tokens = rows});
    benchmark::ClobberMemory();
  }
  return rows * width * 4;
}
const bool registered = testing::time_on_each_isa("gate", {{1, 256}, {512, 256}}, time_gate);

}  // namespace
}  // namespace ponder
