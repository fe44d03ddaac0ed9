// The scalar truth of the gradient of a log-probability.
#pragma once

#include <cmath>
#include <cstdint>

namespace ponder {

// One row: log softmax(logits / τ) of the target.
template <typename S>
S log_probability_of(const S* logits, int64_t count, int32_t target, S temperature) {
  using std::exp, std::log;
  S best = logits[0], total = 0;
  for (int64_t i = 1; i < count; ++i) best = logits[i] > best ? logits[i] : best;
  for (int64_t i = 0; i < count; ++i) total += exp((logits[i] - best) / temperature);
  return (logits[target] - best) / temperature - log(total);
}

// One row: out = factor·exp((logits − best)·inverse_temperature − log_total).
template <typename S>
void scaled_softmax_row(const S* logits, S* out, int64_t count, S best, S inverse_temperature,
                        S log_total, S factor) {
  using std::exp;
  for (int64_t i = 0; i < count; ++i)
    out[i] = factor * exp((logits[i] - best) * inverse_temperature - log_total);
}

}  // namespace ponder
