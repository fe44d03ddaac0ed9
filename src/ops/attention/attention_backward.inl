// The gradient of attention over a vector type V (attention.md), with the register tiles of the
// forward pass: every sum is a chain of fused multiply-adds in ascending order of what it sums
// over.
#include "ops/attention/attention_forward.inl"
#include "ops/attention/attention_kernel.hpp"
#include "simd/math.hpp"

namespace ponder {

// c (+)= a·b for any number of rows.
template <typename V>
PONDER_INLINE void multiply_rows(int64_t rows, const Tile<KvColumns<float>>& tile) {
  const int64_t parts = divide_up(rows, kMaxTile<V>);
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t begin = rows * part / parts;
    Tile<KvColumns<float>> some = tile;
    some.a += begin * tile.a_stride;
    some.c += begin * tile.c_stride;
    multiply<V>(rows * (part + 1) / parts - begin, some);
  }
}

// One query head. Arrays whose rows have padded_dim() elements hold zeros past d_k or d_v.
template <typename V>
struct BackwardHead {
  const AttentionBackwardArgs& args;
  const AttentionBackwardTask& task;
  int64_t key_dim, value_dim;      // d_k, d_v
  int64_t key_width, value_width;  // padded
  bool latent;                     // values are the keys' first columns
  float* dq;                       // (T, key_width)
  float* keys;                     // (kBackwardKeys, key_width)
  float* keys_across;              // (key_width, kBackwardKeys): transposed
  float* values_across;            // (value_width, kBackwardKeys)
  float *dkeys, *dvalues;          // (kBackwardKeys, key_width or value_width)
  float *queries, *dout;           // (kBackwardQueries, key_width or value_width)
  float *weights, *slopes;         // (kBackwardQueries, kBackwardKeys): p and ∂ℓ/∂s·scale
  float *weights_across, *slopes_across;  // (kBackwardKeys, kBackwardQueries)

  PONDER_INLINE BackwardHead(const AttentionBackwardArgs& of, const AttentionBackwardTask& with)
      : args(of), task(with), key_dim(of.cache.key_dim), value_dim(of.cache.value_dim) {
    key_width = padded_dim(key_dim);
    value_width = padded_dim(value_dim);
    latent = args.cache.layout == KvLayout::kLatent;
    float* next = task.scratch;
    const auto take = [&](int64_t count) {
      float* array = next;
      next += count;
      return array;
    };
    dq = take(padded_dim(args.tokens) * key_width);
    keys = take(kBackwardKeys * key_width);
    keys_across = take(kBackwardKeys * key_width);
    values_across = take(kBackwardKeys * value_width);
    dkeys = take(kBackwardKeys * key_width);
    dvalues = take(kBackwardKeys * value_width);
    queries = take(kBackwardQueries * key_width);
    dout = take(kBackwardQueries * value_width);
    weights = take(kBackwardQueries * kBackwardKeys);
    slopes = take(kBackwardQueries * kBackwardKeys);
    weights_across = take(kBackwardQueries * kBackwardKeys);
    slopes_across = take(kBackwardQueries * kBackwardKeys);
  }

  static PONDER_INLINE void clear(float* x, int64_t count) {  // a multiple of kKeyBlock
    for (int64_t i = 0; i < count; i += V::kLanes) V::store(x + i, V::zero());
  }

  // Rows [first, first + count) of a part of the cache, transposed, and (if `rows` is given) as
  // they are; zeros up to kBackwardKeys rows.
  PONDER_INLINE void load_part(KvPart part, int64_t first, int64_t count, float* across,
                               float* rows) const {
    const KvView& cache = args.cache;
    const int64_t key_head = task.head / (args.heads / cache.heads);
    const int64_t dim = part == KvPart::kKeys ? key_dim : value_dim;
    const int64_t width = part == KvPart::kKeys ? key_width : value_width;
    const int64_t step = kv_step(cache, part);
    clear(across, width * kBackwardKeys);
    if (rows != nullptr) clear(rows, width * kBackwardKeys);
    for (int64_t k = 0; k < count; ++k) {
      const float* x = static_cast<const float*>(kv_array(cache, part, first + k)) +
                       kv_index(cache, part, key_head, first + k);
      for (int64_t i = 0; i < dim; ++i) across[i * kBackwardKeys + k] = x[i * step];
      if (rows == nullptr) continue;
      for (int64_t i = 0; i < dim; ++i) rows[k * width + i] = x[i * step];
    }
  }

  PONDER_INLINE void load_keys(int64_t first, int64_t count) const {
    load_part(KvPart::kKeys, first, count, keys_across, keys);
    if (!latent) load_part(KvPart::kValues, first, count, values_across, nullptr);
    clear(dkeys, kBackwardKeys * key_width);
    if (!latent) clear(dvalues, kBackwardKeys * value_width);
  }

  // Rows of `from`, `stride` apart, as rows of `width`; zeros up to kBackwardQueries rows.
  static PONDER_INLINE void load_rows(const float* from, int64_t stride, int64_t count, int64_t dim,
                                      int64_t width, float* to) {
    clear(to, kBackwardQueries * width);
    for (int64_t r = 0; r < count; ++r)
      for (int64_t i = 0; i < dim; ++i) to[r * width + i] = from[r * stride + i];
  }

  // Of query `token`: what the softmax gives and its gradient, from scores and ∂ℓ/∂p.
  PONDER_INLINE void differentiate(int64_t token, int64_t first_key, float* scores,
                                   float* gradients) const {
    const int64_t row = token * args.heads + task.head;
    const float* g = args.dout + row * value_dim;  // (d_v)
    const float* o = args.out + row * value_dim;   // (d_v)
    float delta = 0.0f;
    for (int64_t i = 0; i < value_dim; ++i) delta = __builtin_fmaf(g[i], o[i], delta);
    const auto scale = V::set(args.scale), log_sum = V::set(args.log_sums[row]);
    const auto shift = V::set(delta);
    for (int64_t k = 0; k < kBackwardKeys; k += V::kLanes) {
      const auto p = exp<V>(V::sub(V::mul(V::load(scores + k), scale), log_sum));
      const auto slope = V::mul(V::mul(p, V::sub(V::load(gradients + k), shift)), scale);
      V::store(scores + k, p);
      V::store(gradients + k, slope);
    }
    const int64_t visible = args.position + token + 1 - first_key;
    for (int64_t k = visible > 0 ? visible : 0; k < kBackwardKeys; ++k)
      scores[k] = gradients[k] = 0.0f;
  }

  // weights and slopes of queries [first, first + count) for the keys at hand.
  PONDER_INLINE void weigh(int64_t first, int64_t count, int64_t first_key) const {
    const int64_t blocks = kBackwardKeys / kKeyBlock;
    multiply_rows<V>(kBackwardQueries, {.a = queries,
                                        .b = {keys_across, kBackwardKeys, kKeyBlock},
                                        .c = weights,
                                        .a_stride = key_width,
                                        .c_stride = kBackwardKeys,
                                        .depth = key_dim,
                                        .blocks = blocks});
    multiply_rows<V>(kBackwardQueries,
                     {.a = dout,
                      .b = {latent ? keys_across : values_across, kBackwardKeys, kKeyBlock},
                      .c = slopes,
                      .a_stride = value_width,
                      .c_stride = kBackwardKeys,
                      .depth = value_dim,
                      .blocks = blocks});
    for (int64_t r = 0; r < kBackwardQueries; ++r) {
      float* p = weights + r * kBackwardKeys;
      float* slope = slopes + r * kBackwardKeys;
      if (r < count) {
        differentiate(first + r, first_key, p, slope);
      } else {
        clear(p, kBackwardKeys);
        clear(slope, kBackwardKeys);
      }
      for (int64_t k = 0; k < kBackwardKeys; ++k) {
        weights_across[k * kBackwardQueries + r] = p[k];
        slopes_across[k * kBackwardQueries + r] = slope[k];
      }
    }
  }

  // What the queries at hand, from `first` on, add to all three gradients.
  PONDER_INLINE void add_gradients(int64_t first) const {
    multiply_rows<V>(kBackwardKeys, {.a = weights_across,
                                     .b = {dout, value_width, kKeyBlock},
                                     .c = latent ? dkeys : dvalues,
                                     .a_stride = kBackwardQueries,
                                     .c_stride = latent ? key_width : value_width,
                                     .depth = kBackwardQueries,
                                     .blocks = value_width / kKeyBlock,
                                     .add = true});
    multiply_rows<V>(kBackwardKeys, {.a = slopes_across,
                                     .b = {queries, key_width, kKeyBlock},
                                     .c = dkeys,
                                     .a_stride = kBackwardQueries,
                                     .c_stride = key_width,
                                     .depth = kBackwardQueries,
                                     .blocks = key_width / kKeyBlock,
                                     .add = true});
    multiply_rows<V>(kBackwardQueries, {.a = slopes,
                                        .b = {keys, key_width, kKeyBlock},
                                        .c = dq + first * key_width,
                                        .a_stride = kBackwardKeys,
                                        .c_stride = key_width,
                                        .depth = kBackwardKeys,
                                        .blocks = key_width / kKeyBlock,
                                        .add = true});
  }

  void run() const {
    const int64_t tokens = args.tokens, keys_in_all = args.position + tokens;
    const auto least = [](int64_t a, int64_t b) { return a < b ? a : b; };
    clear(dq, padded_dim(tokens) * key_width);
    for (int64_t k = 0; k < keys_in_all; k += kBackwardKeys) {
      const int64_t count = least(kBackwardKeys, keys_in_all - k);
      load_keys(k, count);
      // From the tile with the first token that sees these keys.
      const int64_t first = k > args.position ? k - args.position : 0;
      for (int64_t t = first - first % kBackwardQueries; t < tokens; t += kBackwardQueries) {
        const int64_t rows = least(kBackwardQueries, tokens - t);
        load_rows(args.q + t * args.q_stride + task.head * key_dim, args.q_stride, rows, key_dim,
                  key_width, queries);
        load_rows(args.dout + (t * args.heads + task.head) * value_dim, args.heads * value_dim,
                  rows, value_dim, value_width, dout);
        weigh(t, rows, k);
        add_gradients(t);
      }
      for (int64_t r = 0; r < count; ++r) {
        for (int64_t i = 0; i < key_dim; ++i)
          task.dkeys[(k + r) * key_dim + i] = dkeys[r * key_width + i];
        for (int64_t i = 0; i < value_dim && !latent; ++i)
          task.dvalues[(k + r) * value_dim + i] = dvalues[r * value_width + i];
      }
    }
    for (int64_t t = 0; t < tokens; ++t) {
      float* out = args.dq + (t * args.heads + task.head) * key_dim;
      for (int64_t i = 0; i < key_dim; ++i) out[i] = dq[t * key_width + i];
    }
  }
};

template <typename V>
void attention_backward_head(const AttentionBackwardArgs& args, const AttentionBackwardTask& task) {
  BackwardHead<V>(args, task).run();
}

}  // namespace ponder
