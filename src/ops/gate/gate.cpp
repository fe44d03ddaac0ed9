#include "ops/gate/gate.hpp"

#include "base/macros.hpp"
#include "ops/cost.hpp"
#include "ops/gate/gate_ref.hpp"
#include "ops/split.hpp"

namespace ponder {
namespace {

constexpr int64_t kScoreCost = 16;  // an exponential and k comparisons, in elements of a loop

// f_i of all tokens.
template <typename S>
void find_frequencies(const GateArgs& args, S* frequency) {
  const GateConfig& config = *args.config;
  int64_t load[kMaxExperts] = {};
  for (int64_t p = 0; p < args.tokens * config.chosen; ++p) ++load[args.experts[p]];
  const double factor = config.experts / static_cast<double>(config.chosen * args.tokens);
  for (int e = 0; e < config.experts; ++e)
    frequency[e] = static_cast<S>(factor * static_cast<double>(load[e]));
}

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

void gate_backward(const Context& context, const GateBackwardArgs& args) {
  const ProfileScope profile(context, "gate_backward", [&] { return cost_of(args); });
  const GateArgs& forward = *args.forward;
  const GateConfig& config = *forward.config;
  PONDER_CHECK(config.experts > 0 && config.experts <= kMaxExperts && forward.tokens >= 0);
  if (forward.tokens == 0) return;
  BalanceTerms<float> balance;
  if (args.balance != 0.0f) {
    find_frequencies(forward, balance.frequency);
    balance.weight = args.balance / static_cast<float>(forward.tokens);
  }
  for_row_ranges(context, forward.tokens, config.experts * kScoreCost,
                 [&](int64_t begin, int64_t end) {
                   for (int64_t t = begin; t < end; ++t) {
                     gate_backward_token<float>(config, forward.logits + t * config.experts,
                                                forward.bias, forward.experts + t * config.chosen,
                                                args.dweights + t * config.chosen, balance,
                                                args.dlogits + t * config.experts);
                   }
                 });
}

double balance_loss(const GateArgs& args) {
  const GateConfig& config = *args.config;
  if (args.tokens == 0) return 0.0;
  double frequency[kMaxExperts], logits[kMaxExperts], scores[kMaxExperts], loss = 0.0;
  find_frequencies(args, frequency);
  for (int64_t t = 0; t < args.tokens; ++t) {
    for (int e = 0; e < config.experts; ++e)
      logits[e] = static_cast<double>(args.logits[t * config.experts + e]);
    gate_scores(config, logits, scores);
    loss += balance_of(frequency, scores, config.experts);
  }
  return loss / static_cast<double>(args.tokens);
}

void update_gate_bias(std::span<float> bias, std::span<const int64_t> load, float gamma) {
  PONDER_CHECK(bias.size() == load.size() && !load.empty());
  int64_t total = 0;
  for (const int64_t tokens : load) total += tokens;
  const auto experts = std::ssize(load);
  for (size_t e = 0; e < bias.size(); ++e) {
    const int64_t above = experts * load[e] - total;  // E·(load − mean), exactly
    if (above != 0) bias[e] += above > 0 ? -gamma : gamma;
  }
}

}  // namespace ponder
