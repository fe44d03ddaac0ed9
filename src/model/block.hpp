// One decoder layer, shared by forward() and mtp_forward(). T new tokens, H width; other letters as
// in params.hpp. Private to this module.
#pragma once

#include <cstdint>
#include <span>

#include "device/context.hpp"
#include "model/forward.hpp"

namespace ponder {

// New tokens of one sequence, rows [row, row + tokens) of the T rows.
struct Segment {
  KvCache* cache = nullptr;
  int64_t row = 0;
  int64_t tokens = 0;
  int64_t position = 0;  // of its first token
  // In training: the index of the segment before it whose tokens are its first `position` ones, and
  // which several segments may continue; −1: none, the cache has what came before.
  int64_t prefix = -1;
};

// What block_backward() needs of the forward pass of a layer: memory that block_forward() fills
// (make_saved() in block_backward.hpp); all null for inference. What attention needs of keys and
// values is in the cache. Letters as in params.hpp, k experts a token.
struct LayerSaved {
  const float* input = nullptr;     // (T, H): x before the layer; set by the caller
  float* attn_normed = nullptr;     // (T, H)
  float* middle = nullptr;          // (T, H): x between the halves
  float* ffn_normed = nullptr;      // (T, H)
  float* q = nullptr;               // (T, h, d), rotated
  float* q_raw = nullptr;           // (T, h, d), before the norm per head
  float* k_raw = nullptr;           // (T, n, d), likewise
  float* log_sums = nullptr;        // (T, h), of the softmax
  float* mixed = nullptr;           // (T, h, dv): input of the output projection
  float* q_latent_raw = nullptr;    // (T, rq), before its norm
  float* q_latent = nullptr;        // (T, rq)
  float* rows_raw = nullptr;        // (T, rk + dr), before norm and rotation
  float* absorbed_q = nullptr;      // (T, h, rk + dr)
  float* z = nullptr;               // (T, h, rk)
  float* gate = nullptr;            // (T, I), of the dense or the shared feed-forward
  float* up = nullptr;              // (T, I)
  float* product = nullptr;         // (T, I): silu(gate) ⊙ up
  float* router_logits = nullptr;   // (T, E)
  int32_t* experts = nullptr;       // (T, k)
  float* expert_weights = nullptr;  // (T, k)
  float* expert_hidden = nullptr;   // (T·k, 2·I), as moe() leaves it
};

// The saved array if there is one, else a temporary of `count` elements.
template <typename T>
T* take_or(const Context& context, T* saved, int64_t count) {
  return saved != nullptr ? saved : context.arena->take<T>(count);
}

struct BlockArgs {
  const Model* model = nullptr;
  const LayerParams* params = nullptr;
  std::span<const Segment> segments;   // in the order of the rows
  int64_t cache_layer = 0;             // of the segments' caches
  int64_t layer = 0;                   // its number: dense or experts, and for the tap
  int64_t tokens = 0;                  // T, of all segments
  const int32_t* positions = nullptr;  // (T)
  const Tap* tap = nullptr;
  LayerSaved saved = {};

  KvView cache(const Segment& segment) const { return segment.cache->layer(cache_layer); }
};

// x (T, H) → x + Attn(N(x)), then x + FFN(N(x)), in place. The cache receives T positions.
void block_forward(const Context& context, const BlockArgs& args, float* x);

// The parts. x: (T, H), normalised; out: (T, H).
void attention_gqa(const Context& context, const BlockArgs& args, const float* x, float* out);
void attention_mla(const Context& context, const BlockArgs& args, const float* x, float* out);
void feed_forward(const Context& context, const BlockArgs& args, const float* x, float* out);

// What the segment's prefix has written becomes the beginning of its own cache; before its own
// positions are written.
void copy_prefix(const BlockArgs& args, const Segment& segment);

// Rows (R, width) normalised with the model's ε into y; y may be x.
void normalise(const Context& context, const Config& config, const Buffer<float>& g, const float* x,
               int64_t rows, float* y);

// Rotates heads by their tokens' positions, in place; or back, which is the gradient.
struct RotateArgs {
  float* x = nullptr;  // (T, heads, head_stride), the first rope.dims of a head are rotated
  int64_t heads = 0;
  int64_t head_stride = 0;  // elements
  bool backward = false;
};
void rotate(const Context& context, const BlockArgs& args, const RotateArgs& rotation);

// The sizes of latent attention, under the letters of the paper.
struct MlaSizes {
  int64_t h, d, dn, dr, dv, rk, rq;
  int64_t row() const { return rk + dr; }  // of the cache
};
MlaSizes mla_sizes(const Config& config);
// Both low-rank norms use this, whatever rms_norm_eps says (model-spec §3).
inline constexpr float kLatentEpsilon = 1e-6f;

// Rows of `table`, or of the output matrix if the table is empty (a tied model of f32 values).
// tokens: (count); out: (count, H).
void embed(const Context& context, const Model& model, const TensorView& table,
           std::span<const int32_t> tokens, float* out);

// y = W·x (+ bias), with what W's adapter adds.
struct LinearTarget {
  const Linear* weight = nullptr;  // (N, K)
  float* y = nullptr;              // (T, N) contiguous
  const float* bias = nullptr;     // (N) or nullptr
};
// All targets in one pass. x: (T, K) contiguous.
void linear(const Context& context, const float* x, int64_t rows,
            std::span<const LinearTarget> targets);
void linear(const Context& context, const float* x, int64_t rows, const LinearTarget& target);

// What the multi-token-prediction block's layer works on: eh_proj·[N(Emb(t)); N(h)], the
// embedding's half first.
struct MtpJoin {
  std::span<const int32_t> next_tokens;  // (T): t_{i+1}
  const float* hidden = nullptr;         // (T, H): h_i
  float* embedded = nullptr;             // (T, H) out, for the gradient; or nullptr
  float* joined = nullptr;               // (T, 2H) likewise: both halves normalised
  float* out = nullptr;                  // (T, H) out
};
void mtp_join(const Context& context, const Model& model, const MtpJoin& args);

// That all tokens are in the vocabulary and fit into the cache, which has `layers` layers.
Result<void> check_input(const Model& model, const KvCache& cache, int64_t layers,
                         std::span<const int32_t> tokens);
// (T): the position of each row, in the arena.
int32_t* positions_of(const Context& context, std::span<const Segment> segments, int64_t tokens);
Failure forward_out_of_memory();

// Where attention leaves the log-sums of a segment, (T, heads), if they are saved.
inline float* log_sums_of(const BlockArgs& args, const Segment& segment, int64_t heads) {
  return args.saved.log_sums == nullptr ? nullptr : args.saved.log_sums + segment.row * heads;
}

inline void tap_values(const BlockArgs& args, TapPoint point, int64_t width, const float* values,
                       const int32_t* indices = nullptr) {
  if (args.tap == nullptr) return;
  (*args.tap)({point, args.layer, args.positions[0], args.tokens, width, values, indices});
}

}  // namespace ponder
