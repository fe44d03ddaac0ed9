#include "ops/cost.hpp"

#include <bitset>

#include "ops/matmul/product.hpp"

namespace ponder {
namespace {

constexpr int64_t kFloatBytes = sizeof(float);

int64_t bytes_of(DType dtype, int64_t elements) {
  const DTypeInfo& info = dtype_info(dtype);
  return elements / info.block_elements * info.block_bytes;
}

// `matrices` of the weight's stack, `rows` products of a vector with one of them.
Cost cost_of_weight(const Context& context, const Weight& weight, int64_t matrices, int64_t rows) {
  const int64_t elements = weight.rows() * weight.cols();
  Cost cost{.memory_bytes = matrices * bytes_of(weight.dtype(), elements)};
  (uses_int8(context, weight) ? cost.int8_products : cost.float_products) = rows * elements;
  return cost;
}

}  // namespace

Cost cost_of(const Context& context, const MatmulArgs& args) {
  Cost cost;
  for (const MatmulTarget& target : args.targets) {
    cost += cost_of_weight(context, *target.weight, 1, args.rows);
    cost.activation_bytes += args.rows * target.weight->rows() * kFloatBytes;
  }
  if (!args.targets.empty())
    cost.activation_bytes += args.rows * args.targets[0].weight->cols() * kFloatBytes;
  return cost;
}

Cost cost_of(const Context& context, const GatedMatmulArgs& args) {
  Cost cost = cost_of_weight(context, *args.gate, 1, args.rows);
  cost += cost_of_weight(context, *args.up, 1, args.rows);
  cost.activation_bytes = args.rows * (args.gate->rows() + args.gate->cols()) * kFloatBytes;
  return cost;
}

Cost cost_of(const Context& context, const StackedMatmulArgs& args) {
  const Weight& w = *args.weight;
  Cost cost = cost_of_weight(context, w, w.stack(), args.rows * w.stack());
  cost.activation_bytes = args.rows * w.stack() * (w.rows() + w.cols()) * kFloatBytes;
  return cost;
}

Cost cost_of(const MatmulBackwardArgs& args) {
  const Weight& w = *args.weight;
  const int64_t products = args.rows * w.stack() * w.rows() * w.cols();
  Cost cost{.activation_bytes = args.rows * w.stack() * (w.rows() + w.cols()) * kFloatBytes};
  if (args.dx.data != nullptr) {
    cost.memory_bytes += bytes_of(w.dtype(), w.stack() * w.rows() * w.cols());
    cost.float_products += products;
  }
  if (args.dw != nullptr) {
    cost.memory_bytes += 2 * kFloatBytes * w.stack() * w.rows() * w.cols();
    cost.float_products += products;
  }
  return cost;
}

Cost cost_of(const LoraArgs& args) {
  const int64_t elements = args.a->rows() * args.a->cols() + args.b->rows() * args.b->cols();
  return {.memory_bytes = elements * kFloatBytes,
          .activation_bytes = args.rows * (args.a->cols() + 2 * args.b->rows()) * kFloatBytes,
          .float_products = args.rows * elements};
}

Cost cost_of(const LoraBackwardArgs& args) {
  const int64_t elements = args.a->rows() * args.a->cols() + args.b->rows() * args.b->cols();
  return {.memory_bytes = 3 * elements * kFloatBytes,
          .activation_bytes = args.rows * (3 * args.a->cols() + args.b->rows()) * kFloatBytes,
          .float_products = 2 * args.rows * elements};
}

Cost cost_of(const Context& context, const MoeArgs& args) {
  std::bitset<kMaxExperts> chosen;
  const int64_t pairs = args.tokens * args.chosen;
  for (int64_t p = 0; p < pairs; ++p) chosen.set(static_cast<size_t>(args.experts[p]));
  Cost cost;
  for (const Weight* weight : {args.gate, args.up, args.down})
    cost += cost_of_weight(context, *weight, static_cast<int64_t>(chosen.count()), pairs);
  cost.activation_bytes = 2 * args.tokens * args.gate->cols() * kFloatBytes;
  return cost;
}

Cost cost_of(const Context& context, const MoeBackwardArgs& args) {
  const MoeArgs& forward = *args.forward;
  Cost cost = cost_of(context, forward);
  const int64_t products =
      3 * forward.tokens * forward.chosen * forward.gate->rows() * forward.gate->cols();
  cost.int8_products = 0;
  cost.float_products = args.dgate == nullptr ? products : 2 * products;
  if (forward.saved == nullptr) cost.float_products += products / 3 * 2;
  return cost;
}

Cost cost_of(std::span<const AttentionArgs> sequences) {
  Cost cost;
  for (const AttentionArgs& args : sequences) {
    const KvView& cache = args.cache;
    const int64_t stored =
        cache.key_dim + (cache.layout == KvLayout::kLatent ? 0 : cache.value_dim);
    const int64_t end = args.position + args.tokens;
    cost.memory_bytes += bytes_of(cache.dtype, end * cache.heads * stored);
    cost.activation_bytes +=
        args.tokens * args.heads * (cache.key_dim + cache.value_dim) * kFloatBytes;
    const int64_t pairs = args.tokens * args.position + args.tokens * (args.tokens + 1) / 2;
    cost.float_products += pairs * args.heads * (cache.key_dim + cache.value_dim);
  }
  return cost;
}

Cost cost_of(std::span<const AttentionBackwardArgs> sequences) {
  Cost cost;
  for (const AttentionBackwardArgs& args : sequences) {
    const KvView& cache = args.cache;
    const int64_t dims = args.heads * (cache.key_dim + cache.value_dim);
    const int64_t keys = args.position + args.tokens;
    cost.memory_bytes += keys * dims * args.cache.heads / args.heads * kFloatBytes;
    cost.activation_bytes += 2 * args.tokens * dims * kFloatBytes;
    cost.float_products +=
        (args.tokens * args.position + args.tokens * (args.tokens + 1) / 2) * dims * 5 / 2;
  }
  return cost;
}

Cost cost_of(const KvWriteArgs& args) {
  const KvView& cache = args.cache;
  const int64_t stored = cache.key_dim + (cache.layout == KvLayout::kLatent ? 0 : cache.value_dim);
  const int64_t elements = args.tokens * cache.heads * stored;
  return {.activation_bytes = elements * kFloatBytes + bytes_of(cache.dtype, elements)};
}

Cost cost_of(const EmbeddingArgs& args) {
  const int64_t elements = args.count * args.table.shape[1];
  return {.memory_bytes = bytes_of(args.table.dtype, elements),
          .activation_bytes = elements * kFloatBytes};
}

Cost cost_of(const AddArgs& args) { return {.activation_bytes = 3 * args.count * kFloatBytes}; }

Cost cost_of(const GateArgs& args) {
  return {.activation_bytes =
              args.tokens * (args.config->experts + 2 * args.config->chosen) * kFloatBytes};
}

Cost cost_of(const RmsnormArgs& args) {
  return {.activation_bytes = 2 * args.rows * args.width * kFloatBytes};
}

Cost cost_of(const RopeArgs& args) {
  return {.activation_bytes = 2 * args.tokens * args.heads * args.dims * kFloatBytes};
}

Cost cost_of(const SwigluArgs& args) {
  return {.activation_bytes = 3 * args.rows * args.width * kFloatBytes};
}

Cost cost_of(const AdamwArgs& args) { return {.memory_bytes = 7 * args.count * kFloatBytes}; }

Cost cost_of(const EmbeddingBackwardArgs& args) {
  return {.activation_bytes = 3 * args.count * args.width * kFloatBytes};
}

Cost cost_of(const GateBackwardArgs& args) {
  const GateConfig& config = *args.forward->config;
  return {.activation_bytes =
              args.forward->tokens * 2 * (config.experts + config.chosen) * kFloatBytes};
}

Cost cost_of(const RmsnormBackwardArgs& args) {
  return {.activation_bytes = 3 * args.rows * args.width * kFloatBytes};
}

Cost cost_of(const SwigluBackwardArgs& args) {
  return {.activation_bytes = 5 * args.rows * args.width * kFloatBytes};
}

Cost cost_of(const XentArgs& args) {
  return {.activation_bytes = args.rows * args.vocabulary * kFloatBytes};
}

Cost cost_of(const XentBackwardArgs& args) {
  return {.activation_bytes = 2 * args.rows * args.vocabulary * kFloatBytes};
}

}  // namespace ponder
