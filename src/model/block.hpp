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
};

struct BlockArgs {
  const Model* model = nullptr;
  const LayerParams* params = nullptr;
  std::span<const Segment> segments;   // in the order of the rows
  int64_t cache_layer = 0;             // of the segments' caches
  int64_t layer = 0;                   // its number: dense or experts, and for the tap
  int64_t tokens = 0;                  // T, of all segments
  const int32_t* positions = nullptr;  // (T)
  const Tap* tap = nullptr;

  KvView cache(const Segment& segment) const { return segment.cache->layer(cache_layer); }
};

// x (T, H) → x + Attn(N(x)), then x + FFN(N(x)), in place. The cache receives T positions.
void block_forward(const Context& context, const BlockArgs& args, float* x);

// The parts. x: (T, H), normalised; out: (T, H).
void attention_gqa(const Context& context, const BlockArgs& args, const float* x, float* out);
void attention_mla(const Context& context, const BlockArgs& args, const float* x, float* out);
void feed_forward(const Context& context, const BlockArgs& args, const float* x, float* out);

// Rows (R, width) normalised with the model's ε into y; y may be x.
void normalise(const Context& context, const Config& config, const Buffer<float>& g, const float* x,
               int64_t rows, float* y);

// That all tokens are in the vocabulary and fit into the cache, which has `layers` layers.
Result<void> check_input(const Model& model, const KvCache& cache, int64_t layers,
                         std::span<const int32_t> tokens);
// (T): the position of each row, in the arena.
int32_t* positions_of(const Context& context, std::span<const Segment> segments, int64_t tokens);
Failure forward_out_of_memory();

inline void tap_values(const BlockArgs& args, TapPoint point, int64_t width, const float* values,
                       const int32_t* indices = nullptr) {
  if (args.tap == nullptr) return;
  (*args.tap)({point, args.layer, args.positions[0], args.tokens, width, values, indices});
}

}  // namespace ponder
