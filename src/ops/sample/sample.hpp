// From logits to the next token: penalties, temperature, truncation, one draw. V: vocabulary.
// Order: bias → penalties → greedy? → top-k → temperature → typical → top-p → min-p → draw.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/rng.hpp"

namespace ponder {

struct SamplingOptions {
  float temperature = 0.0f;        // 0: greedy
  int top_k = 0;                   // 0: off
  float top_p = 1.0f;              // 1: off
  float min_p = 0.0f;              // 0: off; relative to the best token's probability
  float repeat_penalty = 1.0f;     // > 0; 1: off (Keskar et al. 2019)
  float presence_penalty = 0.0f;   // subtracted once for a token already generated
  float frequency_penalty = 0.0f;  // subtracted for each time it was generated
  int penalty_window = 0;          // last tokens the penalties look at; 0: all
  float typical_p = 1.0f;          // 1: off (Meister et al. 2023, locally typical sampling)
  std::vector<std::pair<int32_t, float>> logit_bias = {};  // token, what is added to its logit
  uint64_t seed = 0;
};

// The next token for `logits` (V; scratch, changed). `history`: tokens so far, for the penalties.
// Draw number `draw` of the seed's stream decides, so the same call gives the same token. Ties take
// the lower id. NaN logits count as -inf; if all are, token 0. Tokens less than e^-30 times as
// likely as the best are never drawn.
int32_t sample(std::span<float> logits, std::span<const int32_t> history,
               const SamplingOptions& options, uint64_t draw);

// log softmax(logits / temperature) of one token, summed in f64: the number that xent gives too.
double log_probability(std::span<const float> logits, int32_t token, float temperature = 1.0f);

}  // namespace ponder
