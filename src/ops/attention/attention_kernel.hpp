// What each instruction set implements of attention; attention.cpp splits the work.
// T tokens, h query heads, n key heads, g = h/n query heads of a key head, C chunks.
#pragma once

#include "base/macros.hpp"
#include "ops/attention/attention.hpp"
#include "ops/attention/attention_backward.hpp"

namespace ponder {

// A row is one query: row r < T·g of key head k is token r / g with query head k·g + r % g. So
// rows of a key head are in the order of their causal limits.
struct AttentionPartials {
  float* sums = nullptr;  // (C, n, T·g, stride): Σ e^(s − maximum)·v over the keys of a chunk
  float* maxima = nullptr;   // (C, n, T·g): largest score
  float* totals = nullptr;   // (C, n, T·g): Σ e^(s − maximum)
  int64_t value_stride = 0;  // elements, d_v rounded up to kKeyBlock
};

// Rows [row_begin, row_end) of a key head over keys [chunk·512, (chunk+1)·512) ∩ causal. Rows that
// see no key of the chunk are not written, and not read when the chunks are merged.
struct AttentionTask {
  AttentionPartials partials;
  int64_t key_head = 0;
  int64_t row_begin = 0, row_end = 0;
  int64_t chunk = 0;
  float* scratch = nullptr;  // of this thread, attention_scratch_floats()
};

// The gradients of one query head over its whole sequence.
struct AttentionBackwardTask {
  int64_t head = 0;
  float* dkeys = nullptr;    // (P + T, d_k) out; kLatent: with what its values' columns get
  float* dvalues = nullptr;  // (P + T, d_v) out; kBlocked only
  float* scratch = nullptr;  // of this thread, attention_backward_floats()
};

struct AttentionKernels {
  // One task. Null where `finish` computes whole rows from the cache (the reference).
  void (*chunk)(const AttentionArgs&, const AttentionTask&) noexcept = nullptr;
  // out for rows [begin, end) of the n·T·g rows counted through, from the partials of all chunks.
  void (*finish)(const AttentionArgs&, const AttentionPartials&, int64_t begin,
                 int64_t end) noexcept = nullptr;
  // Tokens [begin, end) into the cache.
  void (*write)(const KvWriteArgs&, int64_t begin, int64_t end) noexcept = nullptr;
  // One task, and the head's part of dq.
  void (*backward)(const AttentionBackwardArgs&, const AttentionBackwardTask&) noexcept = nullptr;
};

// Queries and keys that a task holds at a time, at most (rows of a tile in registers, or lanes).
inline constexpr int64_t kAttentionTileRows = 16;

PONDER_INLINE int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// A tile of scores, one of queries and one of keys with their scales.
PONDER_INLINE int64_t attention_scratch_floats(int64_t key_dim) {
  return kAttentionTileRows * (kAttentionChunk + 2 * key_dim) + kKeyBlock * kv_groups(key_dim);
}

// Keys and queries that the gradient works on at a time: sums over queries run in ascending tiles.
inline constexpr int64_t kBackwardKeys = 64;
inline constexpr int64_t kBackwardQueries = 16;

// Rows of d elements as vectors hold them.
PONDER_INLINE int64_t padded_dim(int64_t dim) { return divide_up(dim, kKeyBlock) * kKeyBlock; }

// dq of all tokens; keys, values and their gradients of a tile, the former transposed, too; a tile
// of queries and of output gradients; scores and their gradients, both ways round.
PONDER_INLINE int64_t attention_backward_floats(int64_t tokens, int64_t key_dim,
                                                int64_t value_dim) {
  const int64_t dims = padded_dim(key_dim) + padded_dim(value_dim);
  return padded_dim(tokens) * padded_dim(key_dim) + kBackwardKeys * 3 * dims +
         kBackwardQueries * (dims + 4 * kBackwardKeys);
}

namespace ref {
AttentionKernels attention_kernels();
}
namespace avx2 {
AttentionKernels attention_kernels();
}
namespace avx512 {
AttentionKernels attention_kernels();
}

}  // namespace ponder
