#include "ops/gate/gate.hpp"

#include "base/macros.hpp"
#include "ops/cost.hpp"
#include "ops/gate/gate_ref.hpp"
#include "ops/split.hpp"

namespace ponder {
namespace {

constexpr int64_t kScoreCost = 16;  // an exponential and k comparisons, in elements of a loop

}  // namespace

void gate(const Context& context, const GateArgs& args) {
  const ProfileScope profile(context, "gate", [&] { return cost_of(args); });
  PONDER_CHECK(args.config != nullptr && args.tokens >= 0);
  const GateConfig& config = *args.config;
  PONDER_CHECK(config.experts > 0 && config.experts <= kMaxExperts);
  PONDER_CHECK(config.groups > 0 && config.experts % config.groups == 0);
  PONDER_CHECK(config.groups_kept > 0 && config.groups_kept <= config.groups);
  const int candidates = config.choice == GateChoice::kGroupTop2
                             ? config.experts / config.groups * config.groups_kept
                             : config.experts;
  PONDER_CHECK(config.chosen > 0 && config.chosen <= candidates);
  for_row_ranges(
      context, args.tokens, config.experts * kScoreCost, [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; ++t) {
          gate_token<float>(config, args.logits + t * config.experts, args.bias,
                            args.experts + t * config.chosen, args.weights + t * config.chosen);
        }
      });
}

}  // namespace ponder
