// The scalar truth of the router, used by every instruction set: a few hundred numbers a token.
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

// One token. logits: (E); bias: (E) or nullptr; experts, weights: (k).
template <typename S>
void gate_token(const GateConfig& config, const S* logits, const S* bias, int32_t* experts,
                S* weights) {
  const int size = config.experts / config.groups;
  S scores[kMaxExperts], values[kMaxExperts];  // without and with the bias
  bool kept[kMaxExperts], chosen[kMaxExperts];
  gate_scores(config, logits, scores);
  for (int e = 0; e < config.experts; ++e) {
    values[e] = bias == nullptr ? scores[e] : scores[e] + bias[e];
    chosen[e] = false;
  }
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

}  // namespace ponder
