// Attention as the formula says, one query at a time, in any scalar type:
// out = Σ_j p_j·v_j, p = softmax_j(scale·q·k_j) over the positions j ≤ the query's own.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "ops/attention/attention.hpp"
#include "quant/half.hpp"

namespace ponder {

// Where an element of a key or of a value lies in its array.
inline int64_t kv_key_index(const KvView& view, int64_t head, int64_t position, int64_t i) {
  if (view.layout == KvLayout::kLatent) return position * view.key_dim + i;
  const int64_t block = head * (view.capacity / kKeyBlock) + position / kKeyBlock;
  return (block * view.key_dim + i) * kKeyBlock + position % kKeyBlock;
}

inline int64_t kv_value_index(const KvView& view, int64_t head, int64_t position, int64_t i) {
  if (view.layout == KvLayout::kLatent) return position * view.key_dim + i;
  return (head * view.capacity + position) * view.value_dim + i;
}

inline float kv_load(const KvView& view, const void* array, int64_t index) {
  if (view.dtype == DType::kF32) return static_cast<const float*>(array)[index];
  return f16_to_f32(static_cast<const uint16_t*>(array)[index]);
}

inline void kv_store(const KvView& view, void* array, int64_t index, float x) {
  if (view.dtype == DType::kF32) {
    static_cast<float*>(array)[index] = x;
  } else {
    static_cast<uint16_t*>(array)[index] = f32_to_f16(x);
  }
}

// scale·q·k. q: (d_k).
template <typename Real>
Real attention_score(const AttentionArgs& args, const float* q, int64_t key_head,
                     int64_t position) {
  Real dot = 0;
  for (int64_t i = 0; i < args.cache.key_dim; ++i) {
    const int64_t index = kv_key_index(args.cache, key_head, position, i);
    dot += static_cast<Real>(q[i]) * static_cast<Real>(kv_load(args.cache, args.cache.keys, index));
  }
  return dot * static_cast<Real>(args.scale);
}

// One query. out: (d_v).
template <typename Real>
void attention_row(const AttentionArgs& args, int64_t token, int64_t head, Real* out) {
  const KvView& cache = args.cache;
  const void* values = cache.layout == KvLayout::kLatent ? cache.keys : cache.values;
  const int64_t key_head = head / (args.heads / cache.heads);
  const int64_t keys = args.position + token + 1;
  const float* q = args.q + token * args.q_stride + head * cache.key_dim;  // (d_k)

  Real maximum = -std::numeric_limits<Real>::infinity();
  for (int64_t j = 0; j < keys; ++j)
    maximum = std::max(maximum, attention_score<Real>(args, q, key_head, j));
  Real total = 0;
  for (int64_t i = 0; i < cache.value_dim; ++i) out[i] = 0;
  for (int64_t j = 0; j < keys; ++j) {
    const Real p = std::exp(attention_score<Real>(args, q, key_head, j) - maximum);
    total += p;
    for (int64_t i = 0; i < cache.value_dim; ++i)
      out[i] +=
          p * static_cast<Real>(kv_load(cache, values, kv_value_index(cache, key_head, j, i)));
  }
  for (int64_t i = 0; i < cache.value_dim; ++i) out[i] /= total;
}

}  // namespace ponder
