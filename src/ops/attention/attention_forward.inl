// Attention over a vector type V. Every score and every weighted sum is a chain of fused
// multiply-adds over d_k or over the keys in ascending order, one lane each; the sum of a chunk's
// exponentials depends on absolute positions only. So what shares a tile never changes a bit.
#include "ops/attention/attention_kernel.hpp"
#include "quant/half.hpp"
#include "simd/math.hpp"

namespace ponder {

// Queries (or latent keys) of a register tile: with kKeyBlock columns, what 16 or 32 registers
// hold.
template <typename V>
inline constexpr int kMaxTile = V::kLanes == 16 ? 8 : 6;

// Keys whose values stay in the L1 cache while all columns are summed.
template <typename V>
inline constexpr int64_t kValueKeys = 64;

template <typename V>
PONDER_INLINE typename V::Floats load_elements(const float* p) {
  return V::load(p);
}
template <typename V>
PONDER_INLINE typename V::Floats load_elements(const uint16_t* p) {
  return V::load_f16(p);
}

// c[m, j] (+)= Σ_i a[m, i]·b[i, j] for j < kKeyBlock, i ascending.
template <typename V, typename Element>
struct Tile {
  const float* a = nullptr;                          // (M, depth)
  const Element* b = nullptr;                        // (depth, kKeyBlock)
  float* c = nullptr;                                // (M, kKeyBlock)
  int64_t a_stride = 0, b_stride = 0, c_stride = 0;  // elements
  int64_t depth = 0;
  bool add = false;  // to what c holds
};

template <typename V, int kRows, typename Element>
PONDER_INLINE void multiply_tile(const Tile<V, Element>& t) {
  constexpr int kVectors = static_cast<int>(kKeyBlock) / V::kLanes;
  typename V::Floats sums[kRows][kVectors];
  for (int m = 0; m < kRows; ++m) {
    for (int v = 0; v < kVectors; ++v)
      sums[m][v] = t.add ? V::load(t.c + m * t.c_stride + v * V::kLanes) : V::zero();
  }
  const float* a = t.a;
  const Element* b = t.b;
  for (int64_t i = 0; i < t.depth; ++i, b += t.b_stride) {
    typename V::Floats columns[kVectors];
    for (int v = 0; v < kVectors; ++v) columns[v] = load_elements<V>(b + v * V::kLanes);
    for (int m = 0; m < kRows; ++m) {
      const auto x = V::set(a[m * t.a_stride + i]);
      for (int v = 0; v < kVectors; ++v) sums[m][v] = V::fma(x, columns[v], sums[m][v]);
    }
  }
  for (int m = 0; m < kRows; ++m) {
    for (int v = 0; v < kVectors; ++v) V::store(t.c + m * t.c_stride + v * V::kLanes, sums[m][v]);
  }
}

// For 1 ≤ rows ≤ kMaxTile.
template <typename V, typename Element, int kRows = kMaxTile<V>>
void multiply(int64_t rows, const Tile<V, Element>& tile) {
  if (rows == kRows) {
    multiply_tile<V, kRows>(tile);
  } else if constexpr (kRows > 1) {
    multiply<V, Element, kRows - 1>(rows, tile);
  }
}

// The rows of a task that are worked on together.
template <typename V, typename Element>
struct RowTile {
  const AttentionArgs& args;
  const AttentionTask& task;
  int64_t begin = 0;         // row of the key head
  int64_t rows = 0;          // ≤ kAttentionTileRows
  float* scores = nullptr;   // (rows, kAttentionChunk)
  float* queries = nullptr;  // kBlocked: (rows, d_k); kLatent: (d_k, kKeyBlock); both times scale
  float* keys = nullptr;     // kLatent: (kMaxTile, d_k)

  PONDER_INLINE int64_t group() const { return args.heads / args.cache.heads; }
  // Keys of the chunk that row `begin + r` sees; ≤ 0 if none.
  PONDER_INLINE int64_t visible(int64_t r) const {
    const int64_t limit = args.position + (begin + r) / group() + 1 - task.chunk * kAttentionChunk;
    return limit < kAttentionChunk ? limit : kAttentionChunk;
  }
  PONDER_INLINE const float* query(int64_t r) const {  // (d_k)
    const int64_t head = task.key_head * group() + (begin + r) % group();
    return args.q + (begin + r) / group() * args.q_stride + head * args.cache.key_dim;
  }
  // Index of row `begin + r` in the partials.
  PONDER_INLINE int64_t partial(int64_t r) const {
    const int64_t heads = task.chunk * args.cache.heads + task.key_head;
    return heads * args.tokens * group() + begin + r;
  }
};

// Key blocks lie with a lane per key: the queries are broadcast.
template <typename V, typename Element>
PONDER_INLINE void score_blocked(const RowTile<V, Element>& tile) {
  const KvView& cache = tile.args.cache;
  const int64_t dim = cache.key_dim;
  for (int64_t r = 0; r < tile.rows; ++r) {
    const float* q = tile.query(r);
    for (int64_t i = 0; i < dim; ++i) tile.queries[r * dim + i] = q[i] * tile.args.scale;
  }
  const int64_t first = tile.task.key_head * cache.capacity + tile.task.chunk * kAttentionChunk;
  const int64_t keys = tile.visible(tile.rows - 1);
  for (int64_t k = 0; k < keys; k += kKeyBlock) {
    Tile<V, Element> t{.a = tile.queries, .c = tile.scores + k, .a_stride = dim, .depth = dim};
    t.b = static_cast<const Element*>(cache.keys) + (first + k) * dim;
    t.b_stride = kKeyBlock;
    t.c_stride = kAttentionChunk;
    multiply<V>(tile.rows, t);
  }
}

// `count` elements as floats: where they lie, or widened into `floats`.
template <typename V>
PONDER_INLINE const float* widen(const float* p, int64_t, float*) {
  return p;
}
template <typename V>
PONDER_INLINE const float* widen(const uint16_t* p, int64_t count, float* floats) {
  int64_t i = 0;
  for (; i + V::kLanes <= count; i += V::kLanes) V::store(floats + i, V::load_f16(p + i));
  for (; i < count; ++i) floats[i] = f16_to_f32(p[i]);
  return floats;
}

// Latent keys lie one after the other: a lane per query, and the keys are broadcast.
template <typename V, typename Element>
PONDER_INLINE void score_latent(const RowTile<V, Element>& tile) {
  const KvView& cache = tile.args.cache;
  const int64_t dim = cache.key_dim;
  for (int64_t r = 0; r < kKeyBlock; ++r) {
    const float* q = tile.query(r < tile.rows ? r : 0);
    for (int64_t i = 0; i < dim; ++i) {
      tile.queries[i * kKeyBlock + r] = r < tile.rows ? q[i] * tile.args.scale : 0.0f;
    }
  }
  const auto* first =
      static_cast<const Element*>(cache.keys) + tile.task.chunk * kAttentionChunk * dim;
  const int64_t keys = tile.visible(tile.rows - 1);
  for (int64_t k = 0; k < keys; k += kMaxTile<V>) {
    const int64_t count = keys - k < kMaxTile<V> ? keys - k : kMaxTile<V>;
    alignas(64) float scores[kMaxTile<V> * kKeyBlock];  // (count, kKeyBlock)
    Tile<V, float> t{.b = tile.queries, .c = scores, .a_stride = dim, .depth = dim};
    t.a = widen<V>(first + k * dim, count * dim, tile.keys);
    t.b_stride = kKeyBlock;
    t.c_stride = kKeyBlock;
    multiply<V>(count, t);
    for (int64_t r = 0; r < tile.rows; ++r) {
      for (int64_t i = 0; i < count; ++i)
        tile.scores[r * kAttentionChunk + k + i] = scores[i * kKeyBlock + r];
    }
  }
}

// scores: (kAttentionChunk), of which the first `keys` are of keys: replaced by e^(s − maximum).
template <typename V>
PONDER_INLINE void exponentiate(float* scores, int64_t keys, float* maximum, float* total) {
  // Lanes past the last key become e^−∞ = 0, which moves neither maximum nor total.
  int64_t end = keys;
  for (; end % kKeyBlock != 0; ++end) scores[end] = -__builtin_inff();
  auto largest = V::set(-__builtin_inff());
  for (int64_t k = 0; k < end; k += V::kLanes) largest = V::max(largest, V::load(scores + k));
  *maximum = V::reduce_max(largest);
  const auto shift = V::set(*maximum);
  auto sum = V::zero();
  for (int64_t k = 0; k < end; k += V::kLanes) {
    const auto p = exp<V>(V::sub(V::load(scores + k), shift));
    V::store(scores + k, p);
    sum = V::add(sum, p);
  }
  *total = V::reduce_add(sum);
}

// Rows [begin, end) of the tile: sums (+)= Σ p_k·v_k over keys [from, to) of the chunk; from = 0
// starts the sums.
template <typename V, typename Element>
PONDER_INLINE void add_values(const RowTile<V, Element>& tile, int64_t begin, int64_t end,
                              int64_t from, int64_t to) {
  const KvView& cache = tile.args.cache;
  const bool latent = cache.layout == KvLayout::kLatent;
  const int64_t stride = latent ? cache.key_dim : cache.value_dim;
  const auto* values = static_cast<const Element*>(latent ? cache.keys : cache.values) +
                       (tile.task.key_head * cache.capacity + tile.task.chunk * kAttentionChunk) *
                           stride;  // (kAttentionChunk, stride)
  const int64_t sum_stride = tile.task.partials.value_stride;
  float* sums = tile.task.partials.sums + tile.partial(0) * sum_stride;  // (rows, sum_stride)
  const int64_t parts = (end - begin + kMaxTile<V> - 1) / kMaxTile<V>;
  for (int64_t k = from; k < to; k += kValueKeys<V>) {
    const int64_t keys = to - k < kValueKeys<V> ? to - k : kValueKeys<V>;
    for (int64_t column = 0; column < cache.value_dim; column += kKeyBlock) {
      Tile<V, Element> t{.b = values + k * stride + column, .depth = keys, .add = k > 0};
      t.b_stride = stride;
      Element rest[kValueKeys<V> * kKeyBlock];  // the last columns, so as not to read past a row
      if (const int64_t width = cache.value_dim - column; width < kKeyBlock) {
        for (int64_t i = 0; i < keys; ++i) {
          for (int64_t j = 0; j < kKeyBlock; ++j)
            rest[i * kKeyBlock + j] = j < width ? t.b[i * stride + j] : Element{0};
        }
        t.b = rest;
        t.b_stride = kKeyBlock;
      }
      t.a_stride = kAttentionChunk;
      t.c_stride = sum_stride;
      for (int64_t part = 0; part < parts; ++part) {
        const int64_t row = begin + (end - begin) * part / parts;
        t.a = tile.scores + row * kAttentionChunk + k;
        t.c = sums + row * sum_stride + column;
        multiply<V>(begin + (end - begin) * (part + 1) / parts - row, t);
      }
    }
  }
}

// The keys that all rows see are summed together; then each query's own. A row must not even
// multiply a value beyond its limit by zero, since that may be infinite or not yet written.
template <typename V, typename Element>
PONDER_INLINE void weigh_values(const RowTile<V, Element>& tile) {
  const int64_t first = tile.visible(0);
  const int64_t shared = first > 0 ? first : 0;
  add_values(tile, 0, tile.rows, 0, shared);
  for (int64_t begin = 0, end = 0; begin < tile.rows; begin = end) {
    const int64_t keys = tile.visible(begin);
    for (end = begin; end < tile.rows && tile.visible(end) == keys;) ++end;
    add_values(tile, begin, end, shared, keys);
  }
}

template <typename V, typename Element>
void attention_chunk(const AttentionArgs& args, const AttentionTask& task) {
  const bool latent = args.cache.layout == KvLayout::kLatent;
  const int64_t tile_rows = latent ? kKeyBlock : kMaxTile<V>;
  const int64_t rows = task.row_end - task.row_begin;
  const int64_t tiles = (rows + tile_rows - 1) / tile_rows;
  for (int64_t i = 0; i < tiles; ++i) {
    RowTile<V, Element> tile{
        .args = args, .task = task, .begin = task.row_begin + rows * i / tiles};
    tile.rows = task.row_begin + rows * (i + 1) / tiles - tile.begin;
    if (tile.visible(tile.rows - 1) <= 0) continue;
    tile.scores = task.scratch;
    tile.queries = tile.scores + kAttentionTileRows * kAttentionChunk;
    tile.keys = tile.queries + kAttentionTileRows * args.cache.key_dim;
    if (latent) {
      score_latent(tile);
    } else {
      score_blocked(tile);
    }
    for (int64_t r = 0; r < tile.rows; ++r) {
      const int64_t keys = tile.visible(r);
      if (keys <= 0) continue;
      exponentiate<V>(tile.scores + r * kAttentionChunk, keys,
                      task.partials.maxima + tile.partial(r),
                      task.partials.totals + tile.partial(r));
    }
    weigh_values(tile);
  }
}

// out = Σ_c w_c·sums_c / Σ_c w_c·totals_c with w_c = e^(maximum_c − largest maximum), c ascending.
// Replaces the maxima of the row by w.
template <typename V>
void attention_finish(const AttentionArgs& args, const AttentionPartials& partials, int64_t begin,
                      int64_t end) {
  const int64_t group = args.heads / args.cache.heads;
  const int64_t head_rows = args.tokens * group;
  const int64_t step = args.tokens * args.heads;  // from a chunk to the next
  const int64_t dim = args.cache.value_dim;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t token = row % head_rows / group;
    const int64_t head = row / head_rows * group + row % group;
    const int64_t chunks = (args.position + token) / kAttentionChunk + 1;
    float* weights = partials.maxima + row;
    float largest = weights[0];
    for (int64_t c = 1; c < chunks; ++c)
      largest = weights[c * step] > largest ? weights[c * step] : largest;
    float total = 0.0f;
    for (int64_t c = 0; c < chunks; ++c) {
      float lanes[V::kLanes];
      V::store(lanes, exp<V>(V::set(weights[c * step] - largest)));
      weights[c * step] = lanes[0];
      total += lanes[0] * partials.totals[c * step + row];
    }
    const auto scale = V::set(1.0f / total);
    float* out = args.out + (token * args.heads + head) * dim;  // (d_v)
    for (int64_t i = 0; i < dim; i += V::kLanes) {
      auto sum = V::zero();
      const float* sums = partials.sums + row * partials.value_stride + i;
      for (int64_t c = 0; c < chunks; ++c, sums += step * partials.value_stride)
        sum = V::fma(V::set(weights[c * step]), V::load(sums), sum);
      const auto result = V::mul(sum, scale);
      if (dim - i >= V::kLanes) {
        V::store(out + i, result);
      } else {
        V::store_prefix(out + i, result, static_cast<int>(dim - i));
      }
    }
  }
}

// x rounded to the cache's format. `step`: elements of y from one to the next.
template <typename V>
PONDER_INLINE void store_row(const float* x, int64_t count, float* y, int64_t step) {
  for (int64_t i = 0; i < count; ++i) y[i * step] = x[i];
}
template <typename V>
PONDER_INLINE void store_row(const float* x, int64_t count, uint16_t* y, int64_t step) {
  for (int64_t i = 0; i < count; i += V::kLanes) {
    uint16_t halves[V::kLanes];
    const int n = static_cast<int>(count - i < V::kLanes ? count - i : V::kLanes);
    V::store_f16(halves, n < V::kLanes ? V::load_prefix(x + i, n) : V::load(x + i));
    for (int j = 0; j < n; ++j) y[(i + j) * step] = halves[j];
  }
}

template <typename V, typename Element>
void attention_write(const KvWriteArgs& args, int64_t begin, int64_t end) {
  const KvView& cache = args.cache;
  auto* keys = static_cast<Element*>(cache.keys);
  auto* values = static_cast<Element*>(cache.values);
  for (int64_t t = begin; t < end; ++t) {
    const int64_t position = args.position + t;
    const float* key = args.keys + t * args.key_stride;  // (n, d_k)
    if (cache.layout == KvLayout::kLatent) {
      store_row<V>(key, cache.key_dim, keys + position * cache.key_dim, 1);
      continue;
    }
    const float* value = args.values + t * args.value_stride;  // (n, d_v)
    for (int64_t head = 0; head < cache.heads; ++head) {
      const int64_t row = head * cache.capacity + position;
      store_row<V>(key + head * cache.key_dim, cache.key_dim,
                   keys + (row - row % kKeyBlock) * cache.key_dim + row % kKeyBlock, kKeyBlock);
      store_row<V>(value + head * cache.value_dim, cache.value_dim, values + row * cache.value_dim,
                   1);
    }
  }
}

template <typename V>
AttentionKernels attention_kernels_of() {
  AttentionKernels kernels;
  kernels.chunk = [](const AttentionArgs& args, const AttentionTask& task) noexcept {
    args.cache.dtype == DType::kF16 ? attention_chunk<V, uint16_t>(args, task)
                                    : attention_chunk<V, float>(args, task);
  };
  kernels.finish = [](const AttentionArgs& args, const AttentionPartials& partials, int64_t begin,
                      int64_t end) noexcept { attention_finish<V>(args, partials, begin, end); };
  kernels.write = [](const KvWriteArgs& args, int64_t begin, int64_t end) noexcept {
    args.cache.dtype == DType::kF16 ? attention_write<V, uint16_t>(args, begin, end)
                                    : attention_write<V, float>(args, begin, end);
  };
  return kernels;
}

}  // namespace ponder
