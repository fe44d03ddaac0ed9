// Attention over a vector type V. Every score and every weighted sum is a chain of fused
// multiply-adds over d_k or over the keys in ascending order, one lane each; the sum of a chunk's
// exponentials depends on absolute positions only. So what shares a tile never changes a bit.
#include "ops/attention/attention_kernel.hpp"
#include "quant/half.hpp"
#include "simd/math.hpp"

namespace ponder {

// Queries (or latent keys) of a register tile.
template <typename V>
inline constexpr int kMaxTile = V::kLanes == 16 ? 8 : 6;

// Blocks of kKeyBlock columns of a register tile of so many rows: as many sums under way as 16 or
// 32 registers hold.
template <typename V, int kRows>
inline constexpr int kTileBlocks = V::kLanes == 16 ? (kRows <= 2   ? 8
                                                      : kRows <= 6 ? 4
                                                                   : 2)
                                                   : (kRows == 1   ? 4
                                                      : kRows <= 3 ? 2
                                                                   : 1);

// Keys whose values stay in the L1 cache while all columns are summed.
inline constexpr int64_t kValueKeys = 64;

struct KvF16 {
  uint16_t bits;
};
struct KvBf16 {
  uint16_t bits;
};
template <typename Element>
inline constexpr bool kIsScaled = sizeof(Element) == 1;  // bytes of kQ8_0

PONDER_INLINE float to_float(KvF16 x) { return f16_to_f32(x.bits); }
PONDER_INLINE float to_float(KvBf16 x) { return bf16_to_f32(x.bits); }
PONDER_INLINE float to_float(int8_t x) { return static_cast<float>(x); }

template <typename V>
PONDER_INLINE typename V::Floats load_elements(const float* p) {
  return V::load(p);
}
template <typename V>
PONDER_INLINE typename V::Floats load_elements(const KvF16* p) {
  return V::load_f16(p);
}
template <typename V>
PONDER_INLINE typename V::Floats load_elements(const KvBf16* p) {
  return V::load_bf16(p);
}
template <typename V>
PONDER_INLINE typename V::Floats load_elements(const int8_t* p) {
  return V::to_floats(V::load_i8(p));
}

// The right-hand side of a product in blocks of kKeyBlock columns: element (i, j) of block c is at
// first + i·row + c·block + j.
template <typename Element>
struct KvColumns {
  static constexpr int64_t kGroup = int64_t{1} << 62;  // rows that share their scales
  static constexpr int64_t kElementBytes = sizeof(Element);
  const Element* first = nullptr;
  int64_t row = 0, block = 0;

  template <typename V>
  PONDER_INLINE typename V::Floats load(int64_t i, int64_t c, int64_t j) const {
    return load_elements<V>(first + i * row + c * block + j);
  }
  PONDER_INLINE void advance(int64_t blocks) { first += blocks * block; }
};

// Keys of kQ8_0: each column has a scale for kGroup rows.
struct ScaledKeys {
  static constexpr int64_t kGroup = kKvGroup;
  static constexpr int64_t kElementBytes = 1;
  KvColumns<int8_t> bytes;
  const uint16_t* scales = nullptr;  // (blocks, ⌈rows/kGroup⌉, kKeyBlock)
  int64_t block = 0;                 // scales of a block

  template <typename V>
  PONDER_INLINE typename V::Floats load(int64_t i, int64_t c, int64_t j) const {
    return bytes.template load<V>(i, c, j);
  }
  template <typename V>
  PONDER_INLINE typename V::Floats load_scales(int64_t i, int64_t c, int64_t j) const {
    return V::load_f16(scales + c * block + i / kGroup * kKeyBlock + j);
  }
  PONDER_INLINE void advance(int64_t blocks) {
    bytes.advance(blocks);
    scales += blocks * block;
  }
};

// Values of kQ8_0: each row has a scale for kGroupBlocks blocks.
struct ScaledValues {
  static constexpr int64_t kGroup = int64_t{1} << 62;
  static constexpr int64_t kElementBytes = 1;
  static constexpr int64_t kGroupBlocks = kKvGroup / kKeyBlock;
  static constexpr int64_t kStride = kValueKeys + kKeyBlock;
  KvColumns<int8_t> bytes;
  const float* scales = nullptr;  // (⌈blocks/kGroupBlocks⌉, kStride)
  int64_t begin = 0;              // block

  template <typename V>
  PONDER_INLINE typename V::Floats load(int64_t i, int64_t c, int64_t j) const {
    const float scale = scales[(begin + c) / kGroupBlocks * kStride + i];
    return V::mul(bytes.template load<V>(i, c, j), V::set(scale));
  }
  PONDER_INLINE void advance(int64_t blocks) {
    bytes.advance(blocks);
    begin += blocks;
  }
};

// c[m, j] (+)= Σ_i a[m, i]·b[i, j] for each column of b, i ascending.
template <typename Source>
struct Tile {
  const float* a = nullptr;            // (M, depth)
  Source b;                            // (depth, blocks·kKeyBlock)
  float* c = nullptr;                  // (M, blocks·kKeyBlock)
  int64_t a_stride = 0, c_stride = 0;  // elements
  int64_t depth = 0, blocks = 0;
  bool add = false;  // to what c holds
  // What is read next: as many bytes of it are fetched as b has, while b is worked on.
  const std::byte* ahead = nullptr;
};

template <typename V, int kRows, int kBlocks, typename Source>
PONDER_INLINE void multiply_tile(const Tile<Source>& t) {
  constexpr int kParts = static_cast<int>(kKeyBlock) / V::kLanes;  // vectors of a block
  constexpr int kVectors = kBlocks * kParts;
  constexpr bool kScaled = requires { t.b.template load_scales<V>(0, 0, 0); };
  constexpr int64_t kStepBytes = kBlocks * kKeyBlock * Source::kElementBytes;
  constexpr int64_t kLineBytes = 64;
  typename V::Floats sums[kRows][kVectors];
  for (int m = 0; m < kRows; ++m) {
    for (int v = 0; v < kVectors; ++v)
      sums[m][v] = t.add ? V::load(t.c + m * t.c_stride + v * V::kLanes) : V::zero();
  }
  for (int64_t begin = 0, end = 0; begin < t.depth; begin = end) {
    end = t.depth - begin < Source::kGroup ? t.depth : begin + Source::kGroup;
    typename V::Floats scales[kVectors];
    if constexpr (kScaled) {
      for (int v = 0; v < kVectors; ++v)
        scales[v] = t.b.template load_scales<V>(begin, v / kParts, v % kParts * V::kLanes);
    }
    for (int64_t i = begin; i < end; ++i) {
      typename V::Floats columns[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        columns[v] = t.b.template load<V>(i, v / kParts, v % kParts * V::kLanes);
        if constexpr (kScaled) columns[v] = V::mul(columns[v], scales[v]);
      }
      for (int64_t at = 0; at < kStepBytes; at += kLineBytes)
        __builtin_prefetch(t.ahead + i * kStepBytes + at);
      for (int m = 0; m < kRows; ++m) {
        const auto x = V::set(t.a[m * t.a_stride + i]);
        for (int v = 0; v < kVectors; ++v) sums[m][v] = V::fma(x, columns[v], sums[m][v]);
      }
    }
  }
  for (int m = 0; m < kRows; ++m) {
    for (int v = 0; v < kVectors; ++v) V::store(t.c + m * t.c_stride + v * V::kLanes, sums[m][v]);
  }
}

// For 1 ≤ rows ≤ kMaxTile.
template <typename V, typename Source, int kRows = kMaxTile<V>>
void multiply(int64_t rows, Tile<Source> tile) {
  if (rows == kRows) {
    constexpr int kBlocks = kTileBlocks<V, kRows>;
    const auto take = [&]<int kCount>() {
      multiply_tile<V, kRows, kCount>(tile);
      tile.b.advance(kCount);
      tile.c += kCount * kKeyBlock;
      tile.blocks -= kCount;
      tile.ahead += tile.depth * kCount * kKeyBlock * Source::kElementBytes;
    };
    while (tile.blocks >= kBlocks) take.template operator()<kBlocks>();
    if constexpr (kBlocks > 4) {
      while (tile.blocks >= 4) take.template operator()<4>();
    }
    while (tile.blocks > 0) take.template operator()<1>();
  } else if constexpr (kRows > 1) {
    multiply<V, Source, kRows - 1>(rows, tile);
  }
}

// `count` vectors of kKeyBlock scales, one after the other, to floats `stride` apart.
template <typename V>
PONDER_INLINE void widen_scales(const uint16_t* from, int64_t count, int64_t stride, float* to) {
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < kKeyBlock; j += V::kLanes)
      V::store(to + i * stride + j, V::load_f16(from + i * kKeyBlock + j));
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
  float* key_scales = nullptr;  // kLatent, kQ8_0: (⌈d_k/kKvGroup⌉, kKeyBlock)

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
  // The cache's row of the chunk's key k.
  PONDER_INLINE const Element* cached(KvPart part, int64_t k) const {
    const int64_t position = task.chunk * kAttentionChunk + k;
    return static_cast<const Element*>(kv_array(args.cache, part, position)) +
           kv_index(args.cache, part, task.key_head, position);
  }
  // Keys [k, k + count) of the chunk, or fewer: those that lie in the page of key k.
  PONDER_INLINE int64_t in_page(int64_t k, int64_t count) const {
    const int64_t size = args.cache.page_positions;
    const int64_t rest = size - (task.chunk * kAttentionChunk + k) % size;
    return count < rest ? count : rest;
  }
  // What is read when the keys, or the values, before k of `count` that are seen are done: the next
  // ones, the values, or the next chunk. If another thread has that, it finds it in the L3 cache.
  PONDER_INLINE const std::byte* ahead(KvPart part, int64_t k, int64_t count) const {
    if (k >= count && part == KvPart::kKeys) return ahead(KvPart::kValues, 0, count);
    const int64_t position = task.chunk * kAttentionChunk;
    if (k >= count && position + kAttentionChunk < args.position + args.tokens) {
      part = KvPart::kKeys;
      k = kAttentionChunk;
    } else if (k >= count) {
      k = 0;
    }
    return reinterpret_cast<const std::byte*>(cached(part, k));
  }
  // kQ8_0: the scales of it and of the next ones of its block.
  PONDER_INLINE const uint16_t* scales(KvPart part, int64_t k) const {
    return kv_scales(args.cache, part, task.key_head, task.chunk * kAttentionChunk + k);
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
  const int64_t keys = tile.visible(tile.rows - 1);
  for (int64_t k = 0, count = 0; k < keys; k += count) {
    count = tile.in_page(k, keys - k);
    const auto score = [&]<typename Source>(const Source& source) {
      multiply<V>(tile.rows, Tile<Source>{.a = tile.queries,
                                          .b = source,
                                          .c = tile.scores + k,
                                          .a_stride = dim,
                                          .c_stride = kAttentionChunk,
                                          .depth = dim,
                                          .blocks = divide_up(count, kKeyBlock),
                                          .ahead = tile.ahead(KvPart::kKeys, k + count, keys)});
    };
    const KvColumns<Element> columns{
        .first = tile.cached(KvPart::kKeys, k), .row = kKeyBlock, .block = kKeyBlock * dim};
    if constexpr (kIsScaled<Element>) {
      score(ScaledKeys{.bytes = columns,
                       .scales = tile.scales(KvPart::kKeys, k),
                       .block = kv_groups(dim) * kKeyBlock});
    } else {
      score(columns);
    }
  }
}

// Keys [k, k + count) of the chunk as rows of floats: where they lie, or widened into tile.keys.
// They lie in one page. Called for ascending k, from 0 on.
template <typename V>
PONDER_INLINE const float* widen(const RowTile<V, float>& tile, int64_t k, int64_t) {
  return tile.cached(KvPart::kKeys, k);
}
template <typename V, typename Element>
PONDER_INLINE const float* widen(const RowTile<V, Element>& tile, int64_t k, int64_t count) {
  const int64_t dim = tile.args.cache.key_dim;
  float* y = tile.keys;
  for (int64_t end = k + count; k < end; ++k, y += dim) {
    const Element* x = tile.cached(KvPart::kKeys, k);
    if (kIsScaled<Element> && k % kKeyBlock == 0)
      widen_scales<V>(tile.scales(KvPart::kKeys, k), kv_groups(dim), kKeyBlock, tile.key_scales);
    const float* scales = tile.key_scales + k % kKeyBlock;
    int64_t i = 0;
    for (; i + V::kLanes <= dim; i += V::kLanes) {
      auto floats = load_elements<V>(x + i);
      if (kIsScaled<Element>) floats = V::mul(floats, V::set(scales[i / kKvGroup * kKeyBlock]));
      V::store(y + i, floats);
    }
    for (; i < dim; ++i) {
      y[i] = to_float(x[i]);
      if (kIsScaled<Element>) y[i] *= scales[i / kKvGroup * kKeyBlock];
    }
  }
  return tile.keys;
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
  const int64_t keys = tile.visible(tile.rows - 1);
  for (int64_t k = 0, count = 0; k < keys; k += count) {
    count = tile.in_page(k, keys - k < kMaxTile<V> ? keys - k : kMaxTile<V>);
    alignas(64) float scores[kMaxTile<V> * kKeyBlock];  // (count, kKeyBlock)
    multiply<V>(count, Tile<KvColumns<float>>{.a = widen<V>(tile, k, count),
                                              .b = {.first = tile.queries, .row = kKeyBlock},
                                              .c = scores,
                                              .a_stride = dim,
                                              .c_stride = kKeyBlock,
                                              .depth = dim,
                                              .blocks = 1,
                                              .ahead = reinterpret_cast<std::byte*>(tile.queries)});
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

// Some of the columns that add_values sums at a time.
struct ValueColumns {
  static constexpr int64_t kMostBlocks = 8;
  int64_t begin = 0, blocks = 0;  // column, blocks of kKeyBlock from there
  int64_t k = 0, keys = 0;        // of the chunk
  const std::byte* ahead = nullptr;
};

// Rows [begin, end) of the tile: adds those columns of Σ p_k·v_k to the sums; k = 0 starts them.
template <typename V, typename Element, typename Source>
PONDER_INLINE void add_columns(const RowTile<V, Element>& tile, int64_t begin, int64_t end,
                               const ValueColumns& columns, const Source& values) {
  const int64_t stride = tile.task.partials.value_stride;
  float* sums = tile.task.partials.sums + tile.partial(0) * stride + columns.begin;
  const int64_t parts = divide_up(end - begin, kMaxTile<V>);
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t row = begin + (end - begin) * part / parts;
    multiply<V>(begin + (end - begin) * (part + 1) / parts - row,
                Tile<Source>{.a = tile.scores + row * kAttentionChunk + columns.k,
                             .b = values,
                             .c = sums + row * stride,
                             .a_stride = kAttentionChunk,
                             .c_stride = stride,
                             .depth = columns.keys,
                             .blocks = columns.blocks,
                             .add = columns.k > 0,
                             .ahead = columns.ahead});
  }
}

// The same for columns that lie in the cache, or (for the last ones) in a copy.
template <typename V, typename Element>
PONDER_INLINE void add_elements(const RowTile<V, Element>& tile, int64_t begin, int64_t end,
                                const ValueColumns& columns, const KvColumns<Element>& values) {
  if constexpr (kIsScaled<Element>) {
    constexpr int64_t kStride = ScaledValues::kStride;
    float scales[ValueColumns::kMostBlocks / ScaledValues::kGroupBlocks * kStride];
    const int64_t first = columns.begin / kKvGroup;  // group
    const int64_t groups = divide_up(columns.begin + columns.blocks * kKeyBlock, kKvGroup) - first;
    const int64_t skipped = columns.k % kKeyBlock;
    for (int64_t k = columns.k - skipped; k < columns.k + columns.keys; k += kKeyBlock)
      widen_scales<V>(tile.scales(KvPart::kValues, k) + first * kKeyBlock, groups, kStride,
                      scales + k - (columns.k - skipped));
    add_columns(tile, begin, end, columns,
                ScaledValues{.bytes = values,
                             .scales = scales + skipped,
                             .begin = columns.begin % kKvGroup / kKeyBlock});
  } else {
    add_columns(tile, begin, end, columns, values);
  }
}

// Rows [begin, end) of the tile: sums (+)= Σ p_k·v_k over keys [from, to) of the chunk; from = 0
// starts the sums.
template <typename V, typename Element>
PONDER_INLINE void add_values(const RowTile<V, Element>& tile, int64_t begin, int64_t end,
                              int64_t from, int64_t to) {
  const KvView& cache = tile.args.cache;
  const int64_t stride = kv_width(cache, KvPart::kValues);
  ValueColumns columns;
  for (columns.k = from; columns.k < to; columns.k += columns.keys) {
    columns.keys =
        tile.in_page(columns.k, to - columns.k < kValueKeys ? to - columns.k : kValueKeys);
    const Element* first = tile.cached(KvPart::kValues, columns.k);
    const std::byte* ahead = tile.ahead(KvPart::kValues, columns.k + columns.keys, to);
    for (columns.begin = 0; columns.begin < cache.value_dim;) {
      const int64_t width = cache.value_dim - columns.begin;
      const Element* values = first + columns.begin;  // (keys, stride)
      columns.ahead = ahead + columns.begin * columns.keys * static_cast<int64_t>(sizeof(Element));
      columns.blocks = width / kKeyBlock;
      if (columns.blocks > ValueColumns::kMostBlocks) columns.blocks = ValueColumns::kMostBlocks;
      if (columns.blocks > 0) {
        add_elements(tile, begin, end, columns,
                     KvColumns<Element>{.first = values, .row = stride, .block = kKeyBlock});
      } else {  // the last columns, so as not to read past a row
        Element rest[kValueKeys * kKeyBlock];
        for (int64_t i = 0; i < columns.keys; ++i) {
          for (int64_t j = 0; j < kKeyBlock; ++j)
            rest[i * kKeyBlock + j] = j < width ? values[i * stride + j] : Element{};
        }
        columns.blocks = 1;
        add_elements(tile, begin, end, columns,
                     KvColumns<Element>{.first = rest, .row = kKeyBlock});
      }
      columns.begin += columns.blocks * kKeyBlock;
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
  const int64_t tiles = divide_up(rows, tile_rows);
  for (int64_t i = 0; i < tiles; ++i) {
    RowTile<V, Element> tile{
        .args = args, .task = task, .begin = task.row_begin + rows * i / tiles};
    tile.rows = task.row_begin + rows * (i + 1) / tiles - tile.begin;
    if (tile.visible(tile.rows - 1) <= 0) continue;
    tile.scores = task.scratch;
    tile.queries = tile.scores + kAttentionTileRows * kAttentionChunk;
    tile.keys = tile.queries + kAttentionTileRows * args.cache.key_dim;
    tile.key_scales = tile.keys + kAttentionTileRows * args.cache.key_dim;
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
    if (args.log_sums != nullptr)
      args.log_sums[token * args.heads + head] = largest + __builtin_logf(total);
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

// x rounded to the cache's format and stored.
template <typename V>
PONDER_INLINE void store_row(const KvView& cache, KvPart part, int64_t head, int64_t position,
                             const float* x) {
  if (cache.dtype != DType::kF16) return kv_store(cache, part, head, position, x);
  const int64_t count = kv_width(cache, part), step = kv_step(cache, part);
  auto* y = static_cast<uint16_t*>(kv_array(cache, part, position)) +
            kv_index(cache, part, head, position);
  for (int64_t i = 0; i < count; i += V::kLanes) {
    uint16_t halves[V::kLanes];
    const int n = static_cast<int>(count - i < V::kLanes ? count - i : V::kLanes);
    V::store_f16(halves, n < V::kLanes ? V::load_prefix(x + i, n) : V::load(x + i));
    for (int j = 0; j < n; ++j) y[(i + j) * step] = halves[j];
  }
}

template <typename V>
void attention_write(const KvWriteArgs& args, int64_t begin, int64_t end) {
  const KvView& cache = args.cache;
  for (int64_t t = begin; t < end; ++t) {
    const float* keys = args.keys + t * args.key_stride;        // (n, d_k)
    const float* values = args.values + t * args.value_stride;  // (n, d_v)
    for (int64_t head = 0; head < cache.heads; ++head) {
      const int64_t position = args.position + t;
      store_row<V>(cache, KvPart::kKeys, head, position, keys + head * cache.key_dim);
      if (cache.layout == KvLayout::kBlocked)
        store_row<V>(cache, KvPart::kValues, head, position, values + head * cache.value_dim);
    }
  }
}

template <typename V>
AttentionKernels attention_kernels_of() {
  AttentionKernels kernels;
  kernels.chunk = [](const AttentionArgs& args, const AttentionTask& task) noexcept {
    const DType dtype = args.cache.dtype;
    if (dtype == DType::kF32) return attention_chunk<V, float>(args, task);
    if (dtype == DType::kF16) return attention_chunk<V, KvF16>(args, task);
    if (dtype == DType::kBF16) return attention_chunk<V, KvBf16>(args, task);
    attention_chunk<V, int8_t>(args, task);
  };
  kernels.finish = [](const AttentionArgs& args, const AttentionPartials& partials, int64_t begin,
                      int64_t end) noexcept { attention_finish<V>(args, partials, begin, end); };
  kernels.write = [](const KvWriteArgs& args, int64_t begin, int64_t end) noexcept {
    attention_write<V>(args, begin, end);
  };
  return kernels;
}

}  // namespace ponder
