// The scalar truth of the router and its gradient, used by every instruction set: a few hundred
// numbers a token.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "ops/gate/gate.hpp"

namespace ponder {

// Index of the greatest value among the candidates, the lowest index on ties; NaN counts as −∞.
// values: (n). is_candidate(i) must hold for at least one i.
template <typename S, typename IsCandidate>
int greatest(const S* values, int n, IsCandidate is_candidate) {
  int best = -1;
  for (int i = 0; i < n; ++i) {
    if (!is_candidate(i)) continue;
    const bool greater = best >= 0 && (values[i] > values[best] ||
                                       (std::isnan(values[best]) && !std::isnan(values[i]) &&
                                        values[i] > -std::numeric_limits<S>::infinity()));
    if (best < 0 || greater) best = i;
  }
  return best;
}

// Router scores. logits, scores: (E).
template <typename S>
void gate_scores(const GateConfig& config, const S* logits, S* scores) {
  using std::exp;
  if (config.score == GateScore::kSigmoid) {
    for (int e = 0; e < config.experts; ++e) scores[e] = S(1) / (S(1) + exp(-logits[e]));
    return;
  }
  S maximum = logits[0], total = 0;
  for (int e = 1; e < config.experts; ++e) maximum = logits[e] > maximum ? logits[e] : maximum;
  for (int e = 0; e < config.experts; ++e) total += scores[e] = exp(logits[e] - maximum);
  for (int e = 0; e < config.experts; ++e) scores[e] /= total;
}

// What a group of experts is ranked by: its best value, or the sum of its two best.
// values: (size).
template <typename S>
S group_score(GateChoice choice, const S* values, int size) {
  const int first = greatest(values, size, [](int) { return true; });
  if (choice == GateChoice::kGroupMax || size == 1) return values[first];
  return values[first] + values[greatest(values, size, [&](int i) { return i != first; })];
}

// Marks the groups that may be chosen from. values: (E); kept: (groups).
template <typename S>
void keep_groups(const GateConfig& config, const S* values, bool* kept) {
  const int size = config.experts / config.groups;
  S group_scores[kMaxExperts];
  for (int g = 0; g < config.groups; ++g) {
    group_scores[g] = group_score(config.choice, values + g * size, size);
    kept[g] = config.choice == GateChoice::kGreedy;
  }
  if (config.choice == GateChoice::kGreedy) return;
  for (int i = 0; i < config.groups_kept; ++i)
    kept[greatest(group_scores, config.groups, [&](int g) { return !kept[g]; })] = true;
}

// Scores with the correction bias, which the choice is made by. All: (E); bias may be nullptr.
template <typename S>
void add_bias(const S* scores, const S* bias, int experts, S* values) {
  for (int e = 0; e < experts; ++e) values[e] = bias == nullptr ? scores[e] : scores[e] + bias[e];
}

// One token. logits: (E); bias: (E) or nullptr; experts, weights: (k).
template <typename S>
void gate_token(const GateConfig& config, const S* logits, const S* bias, int32_t* experts,
                S* weights) {
  const int size = config.experts / config.groups;
  S scores[kMaxExperts], values[kMaxExperts] = {};  // without and with the bias
  bool kept[kMaxExperts], chosen[kMaxExperts];
  gate_scores(config, logits, scores);
  add_bias(scores, bias, config.experts, values);
  for (int e = 0; e < config.experts; ++e) chosen[e] = false;
  keep_groups(config, values, kept);
  // Experts of other groups count as −∞ in V3, that is never; in V2 as 0, with weight 0.
  const bool zeroes = config.choice == GateChoice::kGroupMax;
  for (int e = 0; e < config.experts; ++e) {
    if (zeroes && !kept[e / size]) scores[e] = values[e] = 0;
  }
  for (int i = 0; i < config.chosen; ++i) {
    chosen[greatest(values, config.experts,
                    [&](int e) { return !chosen[e] && (zeroes || kept[e / size]); })] = true;
  }
  S total = 0;
  for (int e = 0, i = 0; e < config.experts; ++e) {
    if (!chosen[e]) continue;
    experts[i] = e;
    weights[i++] = scores[e];
    total += scores[e];
  }
  for (int i = 0; i < config.chosen; ++i) {
    if (config.normalise) weights[i] /= total + S(1e-20);
    weights[i] *= static_cast<S>(config.scale);
  }
}

// What the balance loss is made of, for all tokens of a sequence.
template <typename S>
struct BalanceTerms {
  S frequency[kMaxExperts];  // f_i
  S weight = 0;              // d loss / d balance loss, over T
};

// Σ_i f_i·s_i / Σ_i s_i of one token. scores: (E).
template <typename S>
S balance_of(const S* frequency, const S* scores, int experts) {
  S total = 0, product = 0;
  for (int e = 0; e < experts; ++e) {
    total += scores[e];
    product += frequency[e] * scores[e];
  }
  return product / total;
}

// Gradient of one token. logits, dlogits: (E); bias: (E) or nullptr; experts, dweights: (k).
template <typename S>
void gate_backward_token(const GateConfig& config, const S* logits, const S* bias,
                         const int32_t* experts, const S* dweights, const BalanceTerms<S>& balance,
                         S* dlogits) {
  const int size = config.experts / config.groups;
  S scores[kMaxExperts], values[kMaxExperts] = {}, dscores[kMaxExperts];
  bool kept[kMaxExperts];
  gate_scores(config, logits, scores);
  add_bias(scores, bias, config.experts, values);
  for (int e = 0; e < config.experts; ++e) dscores[e] = 0;
  keep_groups(config, values, kept);
  // A chosen expert of another group (V2) had weight 0, a constant.
  const auto counts = [&](int32_t e) {
    return config.choice != GateChoice::kGroupMax || kept[e / size];
  };
  S total = 0, product = 0;
  for (int i = 0; i < config.chosen; ++i) {
    if (!counts(experts[i])) continue;
    total += scores[experts[i]];
    product += dweights[i] * scores[experts[i]];
  }
  total += S(1e-20);
  for (int i = 0; i < config.chosen; ++i) {
    if (!counts(experts[i])) continue;
    const S d = config.normalise ? (dweights[i] - product / total) / total : dweights[i];
    dscores[experts[i]] = static_cast<S>(config.scale) * d;
  }
  if (balance.weight != 0) {
    S sum = 0;
    for (int e = 0; e < config.experts; ++e) sum += scores[e];
    const S mean = balance_of(balance.frequency, scores, config.experts);
    for (int e = 0; e < config.experts; ++e)
      dscores[e] += balance.weight / sum * (balance.frequency[e] - mean);
  }
  S inner = 0;
  for (int e = 0; e < config.experts; ++e) inner += dscores[e] * scores[e];
  for (int e = 0; e < config.experts; ++e) {
    dlogits[e] = config.score == GateScore::kSigmoid ? dscores[e] * scores[e] * (S(1) - scores[e])
                                                     : scores[e] * (dscores[e] - inner);
  }
}

}  // namespace ponder
