// Gradients of attention() over a sequence (Dao et al. 2022, algorithm 4; derivation in
// attention.md). T tokens after P positions that have been before, h query heads, n key heads, d_k,
// d_v.
#pragma once

#include <cstdint>
#include <span>

#include "device/context.hpp"
#include "ops/attention/kv_view.hpp"

namespace ponder {

struct AttentionBackwardArgs {
  const float* q = nullptr;         // (T, h, d_k), token t at q + t·q_stride
  const float* out = nullptr;       // (T, h, d_v): what attention() gave
  const float* log_sums = nullptr;  // (T, h): likewise
  const float* dout = nullptr;      // (T, h, d_v)
  KvView cache;                     // f32; positions [0, P + T) are filled
  int64_t tokens = 0;               // T
  int64_t position = 0;             // P: of the first token
  int64_t heads = 0;                // h
  int64_t q_stride = 0;             // elements
  float scale = 1.0f;
  float* dq = nullptr;       // (T, h, d_k) contiguous; overwritten
  float* dkeys = nullptr;    // (T, n, d_k) contiguous; overwritten. kLatent: of the rows [ĉ; k_r],
                             // as keys and as values
  float* dvalues = nullptr;  // (T, n, d_v) contiguous; overwritten; kBlocked only
  // Likewise of the positions before, (P, n, d), if P > 0: added to.
  float* earlier_dkeys = nullptr;
  float* earlier_dvalues = nullptr;
};

// The same for several sequences at once. Sums run over queries and keys in ascending order and
// over the heads of a group in ascending order, and what several sequences give for the positions
// that they share is added in their order, whatever the threads are.
void attention_backward(const Context& context, std::span<const AttentionBackwardArgs> sequences);

}  // namespace ponder
