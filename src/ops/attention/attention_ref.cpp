#include "ops/attention/attention_ref.hpp"

#include "ops/attention/attention_backward_ref.hpp"
#include "ops/attention/attention_kernel.hpp"

namespace ponder::ref {
namespace {

void finish(const AttentionArgs& args, const AttentionPartials&, int64_t begin,
            int64_t end) noexcept {
  const int64_t group = args.heads / args.cache.heads;
  const int64_t head_rows = args.tokens * group;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t token = i % head_rows / group;
    const int64_t head = i / head_rows * group + i % group;
    const int64_t row = token * args.heads + head;
    const float log_sum =
        attention_row<float>(args, token, head, args.out + row * args.cache.value_dim);
    if (args.log_sums != nullptr) args.log_sums[row] = log_sum;
  }
}

void write(const KvWriteArgs& args, int64_t begin, int64_t end) noexcept {
  const KvView& cache = args.cache;
  for (int64_t t = begin; t < end; ++t) {
    const float* keys = args.keys + t * args.key_stride;        // (n, d_k)
    const float* values = args.values + t * args.value_stride;  // (n, d_v)
    for (int64_t head = 0; head < cache.heads; ++head) {
      const int64_t position = args.position + t;
      kv_store(cache, KvPart::kKeys, head, position, keys + head * cache.key_dim);
      if (cache.layout == KvLayout::kBlocked)
        kv_store(cache, KvPart::kValues, head, position, values + head * cache.value_dim);
    }
  }
}

}  // namespace

AttentionKernels attention_kernels() {
  return {.finish = finish, .write = write, .backward = attention_backward_head<float>};
}

}  // namespace ponder::ref
