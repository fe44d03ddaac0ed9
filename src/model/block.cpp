#include "model/block.hpp"

#include <algorithm>

#include "ops/add/add.hpp"
#include "ops/embedding/embedding.hpp"
#include "ops/lora/lora.hpp"
#include "ops/matmul/matmul.hpp"
#include "ops/matmul/packed.hpp"
#include "ops/rmsnorm/rmsnorm.hpp"
#include "ops/rope/rope.hpp"
#include "ops/split.hpp"

namespace ponder {

void normalise(const Context& context, const Config& config, const Buffer<float>& g, const float* x,
               int64_t rows, float* y) {
  const auto width = static_cast<int64_t>(g.size());
  rmsnorm(context, {.x = x,
                    .g = g.data(),
                    .y = y,
                    .rows = rows,
                    .width = width,
                    .x_stride = width,
                    .y_stride = width,
                    .epsilon = config.epsilon});
}

void copy_prefix(const BlockArgs& args, const Segment& segment) {
  if (segment.prefix < 0) return;
  const Segment& prefix = args.segments[static_cast<size_t>(segment.prefix)];
  kv_copy(args.cache(prefix), args.cache(segment), segment.position);
}

void embed(const Context& context, const Model& model, const TensorView& table,
           std::span<const int32_t> tokens, float* out) {
  const auto count = static_cast<int64_t>(tokens.size());
  if (!table.empty()) {
    embedding(context, {.table = table, .tokens = tokens.data(), .out = out, .count = count});
    return;
  }
  const Weight& output = model.params().output;
  const float* values = output.values().data();
  const int64_t width = output.cols();
  const int64_t lanes = model.isa() == Isa::kRef ? 1 : kGroupRows;  // rows side by side
  for_row_ranges(context, count, width, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t token = tokens[static_cast<size_t>(t)];
      const float* row = values + token / lanes * lanes * width + token % lanes;
      for (int64_t k = 0; k < width; ++k) out[t * width + k] = row[k * lanes];
    }
  });
}

void linear(const Context& context, const float* x, int64_t rows,
            std::span<const LinearTarget> targets) {
  const Arena::Scope scope(*context.arena);
  auto* products = context.arena->take<MatmulTarget>(static_cast<int64_t>(targets.size()));
  for (size_t i = 0; i < targets.size(); ++i) {
    const LinearTarget& target = targets[i];
    products[i] = {target.weight, target.y, target.weight->rows(), target.bias};
  }
  matmul(context, {.x = x,
                   .rows = rows,
                   .x_stride = targets[0].weight->cols(),
                   .targets = {products, targets.size()}});
  for (const LinearTarget& target : targets) {
    const Adapter* adapter = target.weight->adapter.get();
    if (adapter == nullptr) continue;
    lora(context, {.x = x,
                   .a = &adapter->a,
                   .b = &adapter->b,
                   .scale = adapter->scale,
                   .y = target.y,
                   .rows = rows,
                   .x_stride = target.weight->cols(),
                   .y_stride = target.weight->rows()});
  }
}

void linear(const Context& context, const float* x, int64_t rows, const LinearTarget& target) {
  linear(context, x, rows, {&target, 1});
}

void rotate(const Context& context, const BlockArgs& args, const RotateArgs& rotation) {
  const RopeConfig& r = args.model->config().rope;
  rope(context, {.x = rotation.x,
                 .positions = args.positions,
                 .inv_freq = r.inv_freq.data(),
                 .tokens = args.tokens,
                 .heads = rotation.heads,
                 .dims = r.dims,
                 .token_stride = rotation.heads * rotation.head_stride,
                 .head_stride = rotation.head_stride,
                 .amplitude = r.amplitude,
                 .interleaved = r.interleaved,
                 .backward = rotation.backward});
}

void block_forward(const Context& context, const BlockArgs& args, float* x) {
  const Config& config = args.model->config();
  const LayerSaved& saved = args.saved;
  const int64_t count = args.tokens * config.hidden;
  const Arena::Scope scope(*context.arena);
  float* attn_normed = take_or(context, saved.attn_normed, count);  // (T, H)
  float* ffn_normed = saved.ffn_normed != nullptr ? saved.ffn_normed : attn_normed;
  float* out = context.arena->take<float>(count);  // (T, H)

  normalise(context, config, args.params->attn_norm, x, args.tokens, attn_normed);
  if (config.attention.mla) {
    attention_mla(context, args, attn_normed, out);
  } else {
    attention_gqa(context, args, attn_normed, out);
  }
  tap_values(args, TapPoint::kAttentionOut, config.hidden, out);
  add(context, {.a = x, .b = out, .y = x, .count = count});
  if (saved.middle != nullptr) std::copy_n(x, count, saved.middle);

  normalise(context, config, args.params->ffn_norm, x, args.tokens, ffn_normed);
  feed_forward(context, args, ffn_normed, out);
  tap_values(args, TapPoint::kMlpOut, config.hidden, out);
  add(context, {.a = x, .b = out, .y = x, .count = count});
}

}  // namespace ponder
