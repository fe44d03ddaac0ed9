#include "model/kv_cache.hpp"

#include <new>

#include "base/checked_math.hpp"

namespace ponder {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 46;

// One layer's view without memory behind it.
KvView view_of(const Config& config, DType dtype, int64_t capacity) {
  const AttentionConfig& a = config.attention;
  KvView view{.dtype = dtype, .capacity = capacity};
  if (a.mla) {
    view.layout = KvLayout::kLatent;
    view.heads = 1;
    view.key_dim = a.mla->kv_rank + a.mla->rope_dim;
    view.value_dim = a.mla->kv_rank;
  } else {
    view.heads = a.kv_heads;
    view.key_dim = view.value_dim = a.head_dim;
  }
  return view;
}

int64_t align(int64_t bytes) {
  const auto unit = static_cast<int64_t>(kVectorAlign);
  return ceil_div(bytes, unit) * unit;
}

// The buffer, unless the system has not so much memory.
bool reserve(Buffer<std::byte>& buffer, uint64_t bytes) {
  try {
    buffer = Buffer<std::byte>(static_cast<size_t>(bytes));
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace

Result<KvCache> KvCache::create(const Config& config, const KvCacheOptions& options) {
  PONDER_CHECK(is_kv_type(options.dtype));
  if (options.capacity < 1 || options.capacity > config.context) {
    return Failure{
        {.what = "a context of " + std::to_string(options.capacity) + " tokens is not possible",
         .where = "context",
         .mend = "use 1 to " + std::to_string(config.context) + ", what the model was made for"}};
  }
  const int64_t layers = options.layers < 0 ? config.layers : options.layers;
  KvView view = view_of(config, options.dtype, ceil_div(options.capacity, kKeyBlock) * kKeyBlock);
  // At most 2^25 values a position in a valid Config, 2^30 positions, 4 bytes: no overflow.
  const int64_t key_bytes = align(kv_key_bytes(view));
  const int64_t layer_bytes = key_bytes + align(kv_value_bytes(view));
  const auto total = checked_mul(static_cast<uint64_t>(layer_bytes), static_cast<uint64_t>(layers));
  KvCache cache;
  cache.capacity_ = options.capacity;
  if (!total || *total > kMaxBytes || !reserve(cache.memory_, *total)) {
    return Failure{{.what = "a context of " + std::to_string(options.capacity) + " tokens needs " +
                            std::to_string(total.value_or(0) >> 20) +
                            " MiB of cache, more memory than there is",
                    .where = "context",
                    .mend = "use a shorter context"}};
  }
  for (int64_t l = 0; l < layers; ++l) {
    std::byte* base = cache.memory_.data() + l * layer_bytes;
    view.keys = base;
    view.values = config.attention.mla ? base : base + key_bytes;
    cache.views_.push_back(view);
  }
  return cache;
}

void KvCache::advance(int64_t positions) {
  PONDER_CHECK(positions >= 0 && positions <= capacity_ - length_);
  length_ += positions;
}

void KvCache::truncate(int64_t length) {
  PONDER_CHECK(length >= 0 && length <= length_);
  length_ = length;
}

uint64_t kv_bytes_per_token(const Config& config, DType dtype) {
  const KvView block = view_of(config, dtype, kKeyBlock);
  const int64_t bytes = (kv_key_bytes(block) + kv_value_bytes(block)) / kKeyBlock;
  return static_cast<uint64_t>(bytes * config.layers);
}

}  // namespace ponder
