// Causal attention of T new tokens over a cache that already holds their keys and values
// (model-spec §1, §8; online softmax: Milakov & Gimelshein 2018, Dao et al. 2022).
// T tokens, h query heads, n key heads (head i uses key head i / (h/n)), d_k, d_v.
#pragma once

#include <cstdint>
#include <span>

#include "device/context.hpp"
#include "ops/attention/kv_view.hpp"

namespace ponder {

// Keys are taken in chunks of this many absolute positions; the partial results of the chunks are
// merged in ascending order, always, so a result does not depend on threads or on prompt chunks.
inline constexpr int64_t kAttentionChunk = 512;

struct AttentionArgs {
  const float* q = nullptr;   // (T, h, d_k), token t at q + t·q_stride
  float* out = nullptr;       // (T, h, d_v) contiguous
  float* log_sums = nullptr;  // (T, h) out: log Σ e^score, for the gradient; or nullptr
  KvView cache;               // positions [0, position + T) are filled
  int64_t tokens = 0;         // T
  int64_t heads = 0;          // h
  int64_t q_stride = 0;       // elements
  int64_t position = 0;       // absolute position of the first new token
  float scale = 1.0f;
};

// The same for several sequences at once, in one pass of the threads.
void attention(const Context& context, std::span<const AttentionArgs> sequences);
void attention(const Context& context, const AttentionArgs& args);

struct KvWriteArgs {
  const float* keys = nullptr;  // (T, n, d_k), token t at keys + t·key_stride
  const float* values =
      nullptr;   // (T, n, d_v), token t at values + t·value_stride; unused for kLatent
  KvView cache;  // receives positions [position, position + T)
  int64_t tokens = 0;
  int64_t key_stride = 0, value_stride = 0;  // elements
  int64_t position = 0;
};

// Stores keys and values, rounding to the cache's format.
void kv_write(const Context& context, const KvWriteArgs& args);

}  // namespace ponder
