// Attention as the formula says, one query at a time, in any scalar type:
// out = Σ_j p_j·v_j, p = softmax_j(scale·q·k_j) over the positions j ≤ the query's own.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "ops/attention/attention.hpp"

namespace ponder {

// scale·q·k. q, key: (d_k).
template <typename Real>
Real attention_score(const AttentionArgs& args, const float* q, const float* key) {
  Real dot = 0;
  for (int64_t i = 0; i < args.cache.key_dim; ++i)
    dot += static_cast<Real>(q[i]) * static_cast<Real>(key[i]);
  return dot * static_cast<Real>(args.scale);
}

// One query. out: (d_v). The result: log Σ e^score.
template <typename Real>
Real attention_row(const AttentionArgs& args, int64_t token, int64_t head, Real* out) {
  const KvView& cache = args.cache;
  const int64_t key_head = head / (args.heads / cache.heads);
  const int64_t keys = args.position + token + 1;
  const float* q = args.q + token * args.q_stride + head * cache.key_dim;  // (d_k)
  std::vector<float> row(static_cast<size_t>(std::max(cache.key_dim, cache.value_dim)));
  std::vector<Real> scores(static_cast<size_t>(keys));

  Real maximum = -std::numeric_limits<Real>::infinity();
  for (int64_t j = 0; j < keys; ++j) {
    kv_read(cache, KvPart::kKeys, key_head, j, row.data());
    Real& score = scores[static_cast<size_t>(j)];
    score = attention_score<Real>(args, q, row.data());
    maximum = std::max(maximum, score);
  }
  Real total = 0;
  for (int64_t i = 0; i < cache.value_dim; ++i) out[i] = 0;
  for (int64_t j = 0; j < keys; ++j) {
    const Real p = std::exp(scores[static_cast<size_t>(j)] - maximum);
    total += p;
    kv_read(cache, KvPart::kValues, key_head, j, row.data());
    for (int64_t i = 0; i < cache.value_dim; ++i)
      out[i] += p * static_cast<Real>(row[static_cast<size_t>(i)]);
  }
  for (int64_t i = 0; i < cache.value_dim; ++i) out[i] /= total;
  return maximum + std::log(total);
}

}  // namespace ponder
