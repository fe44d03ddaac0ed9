#include "ops/attention/kv_view.hpp"

namespace ponder {
namespace {

int64_t bytes_of(DType dtype, int64_t elements) { return elements * dtype_info(dtype).block_bytes; }

}  // namespace

int64_t kv_key_bytes(const KvView& view) {
  return bytes_of(view.dtype, view.heads * view.capacity * view.key_dim);
}

int64_t kv_value_bytes(const KvView& view) {
  if (view.layout == KvLayout::kLatent) return 0;
  return bytes_of(view.dtype, view.heads * view.capacity * view.value_dim);
}

}  // namespace ponder
