// Multi-head latent attention (model-spec §3; DeepSeek-V2 2405.04434 §2.1). The cache holds, per
// token, the normalised latent ĉ (rk) and the rotated k_r (dr), whatever the form of computing.
#include <algorithm>
#include <cstring>

#include "base/checked_math.hpp"
#include "model/block.hpp"
#include "ops/attention/attention.hpp"
#include "ops/matmul/matmul.hpp"
#include "ops/rmsnorm/rmsnorm.hpp"
#include "ops/rope/rope.hpp"

namespace ponder {
namespace {

// Both low-rank norms use this, whatever rms_norm_eps says (model-spec §3).
constexpr float kLatentEpsilon = 1e-6f;
// Positions decompressed at a time by the plain form.
constexpr int64_t kDecompressBlock = 256;

// The sizes, under the letters of the paper.
struct Sizes {
  int64_t h, d, dn, dr, dv, rk, rq;
  int64_t row() const { return rk + dr; }  // of the cache
};

Sizes sizes_of(const Config& config) {
  const MlaConfig& m = *config.attention.mla;
  return {config.attention.heads,
          config.attention.head_dim,
          m.nope_dim,
          m.rope_dim,
          m.value_dim,
          m.kv_rank,
          m.q_rank};
}

// The first `width` of each row of `stride`, in place.
void normalise_latent(const Context& context, const Buffer<float>& g, float* x, int64_t rows,
                      int64_t stride) {
  rmsnorm(context, {.x = x,
                    .g = g.data(),
                    .y = x,
                    .rows = rows,
                    .width = static_cast<int64_t>(g.size()),
                    .x_stride = stride,
                    .y_stride = stride,
                    .epsilon = kLatentEpsilon});
}

void rotate(const Context& context, const BlockArgs& args, float* x, int64_t heads,
            int64_t head_stride) {
  const RopeConfig& r = args.model->config().rope;
  rope(context, {.x = x,
                 .positions = args.positions,
                 .inv_freq = r.inv_freq.data(),
                 .tokens = args.tokens,
                 .heads = heads,
                 .dims = r.dims,
                 .token_stride = heads * head_stride,
                 .head_stride = head_stride,
                 .amplitude = r.amplitude,
                 .interleaved = r.interleaved});
}

// q (T, h, d) with its last dr of each head rotated, and the cache rows (T, rk + dr).
void project(const Context& context, const BlockArgs& args, const float* x, float* q, float* rows) {
  const Config& config = args.model->config();
  const Sizes s = sizes_of(config);
  const LayerParams& p = *args.params;
  const int64_t tokens = args.tokens, q_width = s.h * s.d;
  const Arena::Scope scope(*context.arena);
  float* q_in = s.rq > 0 ? context.arena->take<float>(tokens * s.rq) : q;
  const MatmulTarget targets[] = {
      {s.rq > 0 ? &p.q_a : &p.q, q_in, s.rq > 0 ? s.rq : q_width, nullptr},
      {&p.kv_a, rows, s.row(), nullptr}};
  matmul(context, {.x = x, .rows = tokens, .x_stride = config.hidden, .targets = targets});
  if (s.rq > 0) {
    normalise_latent(context, p.q_a_norm, q_in, tokens, s.rq);
    matmul(context, q_in, tokens, {.weight = &p.q_b, .y = q, .y_stride = q_width});
  }
  rotate(context, args, q + s.dn, s.h, s.d);
  normalise_latent(context, p.kv_a_norm, rows, tokens, s.row());
  rotate(context, args, rows + s.rk, 1, s.row());
}

// In the latent space: s = scale·(q̃·ĉ + q_r·k_r) with q̃ = U_kᵀ·q_n, z = Σ p·ĉ, o = U_v·z.
void attend_absorbed(const Context& context, const BlockArgs& args, const float* q, float* mixed) {
  const Config& config = args.model->config();
  const Sizes s = sizes_of(config);
  const KvB<Weight>& kv_b = args.params->kv_b;
  const int64_t tokens = args.tokens, width = s.h * s.row();
  const Arena::Scope scope(*context.arena);
  float* latent_q = context.arena->take<float>(tokens * width);  // (T, h, rk + dr)
  float* z = context.arena->take<float>(tokens * s.h * s.rk);    // (T, h, rk)
  matmul_stacked(context, {.weight = &kv_b.keys,
                           .x = q,
                           .y = latent_q,
                           .rows = tokens,
                           .x_stride = s.h * s.d,
                           .x_stack_stride = s.d,
                           .y_stride = width,
                           .y_stack_stride = s.row()});
  for (int64_t i = 0; i < tokens * s.h; ++i) {
    std::memcpy(latent_q + i * s.row() + s.rk, q + i * s.d + s.dn,
                static_cast<size_t>(s.dr) * sizeof(float));
  }
  const auto count = static_cast<int64_t>(args.segments.size());
  AttentionArgs* sequences = context.arena->take<AttentionArgs>(count);
  for (int64_t i = 0; i < count; ++i) {
    const Segment& segment = args.segments[static_cast<size_t>(i)];
    sequences[i] = {.q = latent_q + segment.row * width,
                    .out = z + segment.row * s.h * s.rk,
                    .cache = args.cache(segment),
                    .tokens = segment.tokens,
                    .heads = s.h,
                    .q_stride = width,
                    .position = segment.position,
                    .scale = config.attention.scale};
  }
  attention(context, {sequences, args.segments.size()});
  matmul_stacked(context, {.weight = &kv_b.values,
                           .x = z,
                           .y = mixed,
                           .rows = tokens,
                           .x_stride = s.h * s.rk,
                           .x_stack_stride = s.rk,
                           .y_stride = s.h * s.dv,
                           .y_stack_stride = s.dv});
}

// Positions [begin, begin + count) of `cache` as keys [k_n; k_r] and values per head, written to
// `plain`.
void decompress(const Context& context, const BlockArgs& args, const KvView& cache, int64_t begin,
                int64_t count, const KvView& plain) {
  const Sizes s = sizes_of(args.model->config());
  const int64_t kv_width = s.h * (s.dn + s.dv);
  const Arena::Scope scope(*context.arena);
  float* rows = context.arena->take<float>(count * s.row());       // (count, rk + dr)
  float* kv = context.arena->take<float>(count * kv_width);        // (count, h, dn + dv)
  float* keys = context.arena->take<float>(count * s.h * s.d);     // (count, h, d)
  float* values = context.arena->take<float>(count * s.h * s.dv);  // (count, h, dv)
  context.pool->run(count, [&](int64_t t, int) {
    kv_read(cache, KvPart::kKeys, 0, begin + t, rows + t * s.row());
  });
  const MatmulTarget target{&args.params->kv_b.whole, kv, kv_width, nullptr};
  matmul(context, {.x = rows, .rows = count, .x_stride = s.row(), .targets = {&target, 1}});
  context.pool->run(count, [&](int64_t t, int) {
    for (int64_t i = 0; i < s.h; ++i) {
      const float* from = kv + t * kv_width + i * (s.dn + s.dv);
      float* key = keys + (t * s.h + i) * s.d;
      std::copy_n(from, s.dn, key);
      std::copy_n(rows + t * s.row() + s.rk, s.dr, key + s.dn);
      std::copy_n(from + s.dn, s.dv, values + (t * s.h + i) * s.dv);
    }
  });
  kv_write(context, {.keys = keys,
                     .values = values,
                     .cache = plain,
                     .tokens = count,
                     .key_stride = s.h * s.d,
                     .value_stride = s.h * s.dv,
                     .position = begin});
}

// Keys and values of every position so far decompressed, then ordinary attention with h key heads.
void attend_plain(const Context& context, const BlockArgs& args, const Segment& segment,
                  const float* q, float* mixed) {
  const Config& config = args.model->config();
  const Sizes s = sizes_of(config);
  const int64_t end = segment.position + segment.tokens;
  const Arena::Scope scope(*context.arena);
  KvView plain{.page_positions = ceil_div(end, kKeyBlock) * kKeyBlock,
               .page_count = 1,
               .dtype = DType::kF32,
               .heads = s.h,
               .key_dim = s.d,
               .value_dim = s.dv};
  plain.value_offset = kv_key_bytes(plain);
  std::byte* page = context.arena->take<std::byte>(plain.value_offset + kv_value_bytes(plain));
  plain.pages = &page;
  for (int64_t begin = 0; begin < end; begin += kDecompressBlock)
    decompress(context, args, args.cache(segment), begin, std::min(kDecompressBlock, end - begin),
               plain);
  attention(context, {.q = q + segment.row * s.h * s.d,
                      .out = mixed + segment.row * s.h * s.dv,
                      .cache = plain,
                      .tokens = segment.tokens,
                      .heads = s.h,
                      .q_stride = s.h * s.d,
                      .position = segment.position,
                      .scale = config.attention.scale});
}

}  // namespace

void attention_mla(const Context& context, const BlockArgs& args, const float* x, float* out) {
  const Config& config = args.model->config();
  const Sizes s = sizes_of(config);
  const Arena::Scope scope(*context.arena);
  float* q = context.arena->take<float>(args.tokens * s.h * s.d);       // (T, h, d)
  float* rows = context.arena->take<float>(args.tokens * s.row());      // (T, rk + dr)
  float* mixed = context.arena->take<float>(args.tokens * s.h * s.dv);  // (T, h, dv)
  project(context, args, x, q, rows);
  for (const Segment& segment : args.segments)
    kv_write(context, {.keys = rows + segment.row * s.row(),
                       .cache = args.cache(segment),
                       .tokens = segment.tokens,
                       .key_stride = s.row(),
                       .position = segment.position});
  if (args.model->mla_form() == MlaForm::kAbsorbed) {
    attend_absorbed(context, args, q, mixed);
  } else {
    for (const Segment& segment : args.segments) attend_plain(context, args, segment, q, mixed);
  }
  matmul(context, mixed, args.tokens,
         {.weight = &args.params->o, .y = out, .y_stride = config.hidden});
}

}  // namespace ponder
