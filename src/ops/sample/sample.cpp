#include "ops/sample/sample.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/macros.hpp"
#include "ops/xent/xent.hpp"

namespace ponder {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Tokens less than e^-30 ≈ 1e-13 times as likely as the best are left out. Even 10^5 of them
// together come up once in 10^8 draws, and they need no exponential.
constexpr float kLogitRange = 30.0f;

struct Candidate {
  int32_t token = 0;
  float logit = 0.0f;
  double weight = 0.0;  // probability times a constant; 1 for the best
};

// The order of truncation: likelier first, ties by the lower id. NaN never gets here.
bool likelier(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

void penalise(std::span<float> logits, std::span<const int32_t> history,
              const SamplingOptions& options) {
  if (options.repeat_penalty == 1.0f && options.presence_penalty == 0.0f &&
      options.frequency_penalty == 0.0f)
    return;
  if (options.penalty_window > 0)
    history = history.last(std::min(history.size(), static_cast<size_t>(options.penalty_window)));
  std::vector<int32_t> counts(logits.size());
  for (const int32_t token : history) {
    PONDER_CHECK(token >= 0 && static_cast<size_t>(token) < logits.size());
    ++counts[static_cast<size_t>(token)];
  }
  for (size_t i = 0; i < logits.size(); ++i) {
    if (counts[i] == 0) continue;
    float& logit = logits[i];
    logit = logit > 0.0f ? logit / options.repeat_penalty : logit * options.repeat_penalty;
    logit -= options.presence_penalty + options.frequency_penalty * static_cast<float>(counts[i]);
  }
}

// Keeps the k likeliest, in order.
void keep_top_k(std::vector<Candidate>& candidates, int k) {
  if (k <= 0 || static_cast<size_t>(k) >= candidates.size()) return;
  std::nth_element(candidates.begin(), candidates.begin() + (k - 1), candidates.end(), likelier);
  candidates.resize(static_cast<size_t>(k));
  std::sort(candidates.begin(), candidates.end(), likelier);
}

// weight = exp((logit − best) / temperature). Infinite logits share all the probability.
double weigh(std::vector<Candidate>& candidates, float best, float temperature) {
  double total = 0.0;
  for (Candidate& c : candidates) {
    c.weight = c.logit == best ? 1.0 : std::exp((c.logit - best) / temperature);
    total += c.weight;
  }
  return total;
}

// Keeps the smallest set of likeliest tokens with at least p of the probability, in order
// (nucleus sampling; Holtzman et al. 2020, section 3.1). Returns the new total.
double keep_top_p(std::vector<Candidate>& candidates, double total, float p) {
  if (!(p < 1.0f)) return total;
  // Tokens below this share hold less than half of 1 − p together: they are outside, and need not
  // be sorted.
  const double negligible =
      0.5 * (1.0 - static_cast<double>(p)) * total / static_cast<double>(candidates.size());
  std::erase_if(candidates, [&](const Candidate& c) { return c.weight < negligible; });
  std::sort(candidates.begin(), candidates.end(), likelier);
  double kept = 0.0;
  size_t count = 0;
  while (count < candidates.size() && (count == 0 || kept < static_cast<double>(p) * total))
    kept += candidates[count++].weight;
  candidates.resize(count);
  return kept;
}

// Keeps the smallest set of the most typical tokens with at least p of the probability: those whose
// surprise −log p is nearest to the entropy, the mean surprise (Meister et al. 2023, section 3).
double keep_typical(std::vector<Candidate>& candidates, double total, float p) {
  if (!(p < 1.0f)) return total;
  double entropy = 0.0;
  for (const Candidate& c : candidates)
    if (c.weight > 0.0) entropy -= c.weight / total * std::log(c.weight / total);
  const auto distance = [&](const Candidate& c) {
    return c.weight > 0.0 ? std::abs(-std::log(c.weight / total) - entropy)
                          : static_cast<double>(kInfinity);
  };
  std::vector<std::pair<double, Candidate>> order;
  for (const Candidate& c : candidates) order.emplace_back(distance(c), c);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : likelier(a.second, b.second);
  });
  double kept = 0.0;
  candidates.clear();
  for (const auto& [from_entropy, c] : order) {
    candidates.push_back(c);
    kept += c.weight;
    if (kept >= static_cast<double>(p) * total) break;
  }
  return kept;
}

// Keeps tokens at least `min_p` times as likely as the likeliest, whose weight was 1.
double keep_min_p(std::vector<Candidate>& candidates, double total, float min_p) {
  if (!(min_p > 0.0f)) return total;
  const double bound = std::min(static_cast<double>(min_p), 1.0);
  std::erase_if(candidates, [&](const Candidate& c) { return c.weight < bound; });
  double kept = 0.0;
  for (const Candidate& c : candidates) kept += c.weight;
  return kept;
}

int32_t draw_from(const std::vector<Candidate>& candidates, double total, double uniform) {
  const double target = uniform * total;
  double below = 0.0;
  const Candidate* last = &candidates.front();
  for (const Candidate& c : candidates) {
    if (c.weight == 0.0) continue;
    last = &c;  // rounding may leave the sum a little below the target
    below += c.weight;
    if (target < below) break;
  }
  return last->token;
}

// The greatest logit and its lowest index; −∞ and 0 if there is none above −∞.
std::pair<float, int32_t> find_best(std::span<const float> logits) {
  const float best = greatest_logit(logits);
  if (best == -kInfinity) return {best, 0};
  return {best,
          static_cast<int32_t>(std::find(logits.begin(), logits.end(), best) - logits.begin())};
}

// The tokens that a draw can give, by ascending id.
std::vector<Candidate> find_candidates(std::span<const float> logits, float best,
                                       float temperature) {
  const float least = best < kInfinity ? best - kLogitRange * temperature : best;
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] >= least && logits[i] > -kInfinity)
      candidates.push_back({static_cast<int32_t>(i), logits[i], 0.0});
  }
  return candidates;
}

}  // namespace

int32_t sample(std::span<float> logits, std::span<const int32_t> history,
               const SamplingOptions& options, uint64_t draw) {
  PONDER_CHECK(!logits.empty());
  for (const auto& [token, bias] : options.logit_bias) {
    PONDER_CHECK(token >= 0 && static_cast<size_t>(token) < logits.size());
    logits[static_cast<size_t>(token)] += bias;
  }
  penalise(logits, history, options);
  const auto [best, best_token] = find_best(logits);
  if (!(options.temperature > 0.0f) || best == -kInfinity) return best_token;
  std::vector<Candidate> candidates = find_candidates(logits, best, options.temperature);
  keep_top_k(candidates, options.top_k);
  double total = weigh(candidates, best, options.temperature);
  total = keep_typical(candidates, total, options.typical_p);
  total = keep_top_p(candidates, total, options.top_p);
  total = keep_min_p(candidates, total, options.min_p);
  return draw_from(candidates, total, Rng(options.seed, 0, draw).next_double());
}

double log_probability(std::span<const float> logits, int32_t token, float temperature) {
  PONDER_CHECK(token >= 0 && static_cast<size_t>(token) < logits.size());
  return LogSoftmax::of(logits, temperature).log_probability(logits[static_cast<size_t>(token)]);
}

}  // namespace ponder
