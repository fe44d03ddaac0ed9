// Multi-head latent attention (model-spec §3; DeepSeek-V2 2405.04434 §2.1). The cache holds, per
// token, the normalised latent ĉ (rk) and the rotated k_r (dr), whatever the form of computing.
#include <algorithm>
#include <cstring>

#include "base/checked_math.hpp"
#include "model/block.hpp"
#include "ops/attention/attention.hpp"
#include "ops/matmul/matmul.hpp"
#include "ops/rmsnorm/rmsnorm.hpp"

namespace ponder {
namespace {

// Positions decompressed at a time by the plain form.
constexpr int64_t kDecompressBlock = 256;

// The first elements of each row of `stride`, as many as g has; y may be x.
void normalise_latent(const Context& context, const Buffer<float>& g, const float* x, float* y,
                      int64_t rows, int64_t stride) {
  rmsnorm(context, {.x = x,
                    .g = g.data(),
                    .y = y,
                    .rows = rows,
                    .width = static_cast<int64_t>(g.size()),
                    .x_stride = stride,
                    .y_stride = stride,
                    .epsilon = kLatentEpsilon});
}

// q (T, h, d) with its last dr of each head rotated, and the cache rows (T, rk + dr).
void project(const Context& context, const BlockArgs& args, const float* x, float* q, float* rows) {
  const Config& config = args.model->config();
  const MlaSizes s = mla_sizes(config);
  const LayerParams& p = *args.params;
  const int64_t tokens = args.tokens;
  const Arena::Scope scope(*context.arena);
  const bool low_rank = s.rq > 0;
  float* q_in = low_rank ? take_or(context, args.saved.q_latent, tokens * s.rq) : q;
  float* q_raw = args.saved.q_latent_raw != nullptr ? args.saved.q_latent_raw : q_in;
  const LinearTarget targets[] = {{low_rank ? &p.q_a : &p.q, q_raw}, {&p.kv_a, rows}};
  linear(context, x, tokens, targets);
  if (args.saved.rows_raw != nullptr) std::copy_n(rows, tokens * s.row(), args.saved.rows_raw);
  if (low_rank) {
    normalise_latent(context, p.q_a_norm, q_raw, q_in, tokens, s.rq);
    linear(context, q_in, tokens, {.weight = &p.q_b, .y = q});
  }
  rotate(context, args, {.x = q + s.dn, .heads = s.h, .head_stride = s.d});
  normalise_latent(context, p.kv_a_norm, rows, rows, tokens, s.row());
  rotate(context, args, {.x = rows + s.rk, .heads = 1, .head_stride = s.row()});
}

// In the latent space: s = scale·(q̃·ĉ + q_r·k_r) with q̃ = U_kᵀ·q_n, z = Σ p·ĉ, o = U_v·z.
void attend_absorbed(const Context& context, const BlockArgs& args, const float* q, float* mixed) {
  const Config& config = args.model->config();
  const MlaSizes s = mla_sizes(config);
  const KvB<Linear>& kv_b = args.params->kv_b;
  const int64_t tokens = args.tokens, width = s.h * s.row();
  const Arena::Scope scope(*context.arena);
  float* latent_q = take_or(context, args.saved.absorbed_q, tokens * width);  // (T, h, rk + dr)
  float* z = take_or(context, args.saved.z, tokens * s.h * s.rk);             // (T, h, rk)
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
                    .log_sums = log_sums_of(args, segment, s.h),
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
  const MlaSizes s = mla_sizes(args.model->config());
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
  const MlaSizes s = mla_sizes(config);
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

MlaSizes mla_sizes(const Config& config) {
  const MlaConfig& m = *config.attention.mla;
  return {config.attention.heads,
          config.attention.head_dim,
          m.nope_dim,
          m.rope_dim,
          m.value_dim,
          m.kv_rank,
          m.q_rank};
}

void attention_mla(const Context& context, const BlockArgs& args, const float* x, float* out) {
  const MlaSizes s = mla_sizes(args.model->config());
  const LayerSaved& saved = args.saved;
  const Arena::Scope scope(*context.arena);
  float* q = take_or(context, saved.q, args.tokens * s.h * s.d);           // (T, h, d)
  float* rows = context.arena->take<float>(args.tokens * s.row());         // (T, rk + dr)
  float* mixed = take_or(context, saved.mixed, args.tokens * s.h * s.dv);  // (T, h, dv)
  project(context, args, x, q, rows);
  for (const Segment& segment : args.segments) {
    copy_prefix(args, segment);
    kv_write(context, {.keys = rows + segment.row * s.row(),
                       .cache = args.cache(segment),
                       .tokens = segment.tokens,
                       .key_stride = s.row(),
                       .position = segment.position});
  }
  if (args.model->mla_form() == MlaForm::kAbsorbed) {
    attend_absorbed(context, args, q, mixed);
  } else {
    for (const Segment& segment : args.segments) attend_plain(context, args, segment, q, mixed);
  }
  linear(context, mixed, args.tokens, {.weight = &args.params->o, .y = out});
}

}  // namespace ponder
