// Grouped-query attention of Qwen and Llama (model-spec §8; Ainslie et al. 2305.13245).
#include "model/block.hpp"
#include "ops/attention/attention.hpp"

namespace ponder {
namespace {

const float* or_null(const Buffer<float>& buffer) {
  return buffer.size() == 0 ? nullptr : buffer.data();
}

}  // namespace

void attention_gqa(const Context& context, const BlockArgs& args, const float* x, float* out) {
  const Config& config = args.model->config();
  const AttentionConfig& a = config.attention;
  const LayerParams& p = *args.params;
  const int64_t tokens = args.tokens, q_width = a.heads * a.head_dim;
  const int64_t kv_width = a.kv_heads * a.head_dim;
  const Arena::Scope scope(*context.arena);
  float* q = take_or(context, args.saved.q, tokens * q_width);  // (T, h, d)
  float* k = context.arena->take<float>(tokens * kv_width);     // (T, n, d)
  float* v = context.arena->take<float>(tokens * kv_width);     // (T, n, d)
  float* mixed = take_or(context, args.saved.mixed, tokens * q_width);

  float* q_raw = args.saved.q_raw != nullptr ? args.saved.q_raw : q;
  float* k_raw = args.saved.k_raw != nullptr ? args.saved.k_raw : k;
  const LinearTarget targets[] = {{&p.q, q_raw, or_null(p.q_bias)},
                                  {&p.k, k_raw, or_null(p.k_bias)},
                                  {&p.v, v, or_null(p.v_bias)}};
  linear(context, x, tokens, targets);
  if (a.qk_norm) {
    normalise(context, config, p.q_norm, q_raw, tokens * a.heads, q);
    normalise(context, config, p.k_norm, k_raw, tokens * a.kv_heads, k);
  }
  rotate(context, args, {.x = q, .heads = a.heads, .head_stride = a.head_dim});
  rotate(context, args, {.x = k, .heads = a.kv_heads, .head_stride = a.head_dim});
  const auto count = static_cast<int64_t>(args.segments.size());
  AttentionArgs* sequences = context.arena->take<AttentionArgs>(count);
  for (int64_t i = 0; i < count; ++i) {
    const Segment& segment = args.segments[static_cast<size_t>(i)];
    copy_prefix(args, segment);
    kv_write(context, {.keys = k + segment.row * kv_width,
                       .values = v + segment.row * kv_width,
                       .cache = args.cache(segment),
                       .tokens = segment.tokens,
                       .key_stride = kv_width,
                       .value_stride = kv_width,
                       .position = segment.position});
    sequences[i] = {.q = q + segment.row * q_width,
                    .out = mixed + segment.row * q_width,
                    .log_sums = log_sums_of(args, segment, a.heads),
                    .cache = args.cache(segment),
                    .tokens = segment.tokens,
                    .heads = a.heads,
                    .q_stride = q_width,
                    .position = segment.position,
                    .scale = a.scale};
  }
  attention(context, {sequences, args.segments.size()});
  linear(context, mixed, tokens, {.weight = &p.o, .y = out});
}

}  // namespace ponder
