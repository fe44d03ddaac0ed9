#include "model/kv_pool.hpp"

#include <string>

#include "base/checked_math.hpp"

namespace ponder {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 46;
constexpr int64_t kMaxPages = int64_t{1} << 30;

int64_t align(int64_t bytes) {
  const auto unit = static_cast<int64_t>(kVectorAlign);
  return ceil_div(bytes, unit) * unit;
}

// The first layer of a page.
KvView view_of(const Config& config, DType dtype) {
  const AttentionConfig& a = config.attention;
  KvView view{.dtype = dtype};
  if (a.mla) {
    view.layout = KvLayout::kLatent;
    view.heads = 1;
    view.key_dim = a.mla->kv_rank + a.mla->rope_dim;
    view.value_dim = a.mla->kv_rank;
  } else {
    view.heads = a.kv_heads;
    view.key_dim = view.value_dim = a.head_dim;
    view.value_offset = align(kv_key_bytes(view));
  }
  return view;
}

// At most 2^25 values a position in a valid Config, 64 positions, 4 bytes: no overflow.
int64_t layer_bytes_of(const KvView& view) {
  return align(kv_key_bytes(view)) + align(kv_value_bytes(view));
}

}  // namespace

uint64_t KvPool::page_bytes(const Config& config, DType dtype, int64_t layers) {
  const auto count = static_cast<uint64_t>(layers < 0 ? config.layers : layers);
  const auto layer = static_cast<uint64_t>(layer_bytes_of(view_of(config, dtype)));
  return checked_mul(layer, count).value_or(0);
}

Result<std::shared_ptr<KvPool>> KvPool::create(const Config& config, const KvPoolOptions& options) {
  PONDER_CHECK(is_kv_type(options.dtype) && options.pages > 0);
  std::shared_ptr<KvPool> pool(new KvPool);
  pool->view_ = view_of(config, options.dtype);
  pool->layers_ = options.layers < 0 ? config.layers : options.layers;
  pool->layer_bytes_ = layer_bytes_of(pool->view_);
  pool->page_bytes_ = page_bytes(config, options.dtype, pool->layers_);
  const auto total = checked_mul(pool->page_bytes_, static_cast<uint64_t>(options.pages));
  if (total && *total <= kMaxBytes && options.pages <= kMaxPages)
    pool->memory_ = Buffer<std::byte>::try_create(*total);
  if (pool->memory_.size() == 0) {
    return Failure{{.what = "a context of " + std::to_string(options.pages * kKvPage) +
                            " tokens needs " + std::to_string(total.value_or(0) >> 20) +
                            " MiB of cache, more memory than there is",
                    .where = "context",
                    .mend = "use a shorter context"}};
  }
  prefer_huge_pages(pool->memory_.data(), pool->memory_.size());
  pool->owners_.assign(static_cast<size_t>(options.pages), 0);
  for (int64_t page = options.pages; page-- > 0;) pool->free_.push_back(static_cast<int32_t>(page));
  return pool;
}

int32_t KvPool::take() {
  if (free_.empty()) return -1;
  const int32_t page = free_.back();
  free_.pop_back();
  owners_[static_cast<size_t>(page)] = 1;
  return page;
}

void KvPool::share(int32_t page) {
  PONDER_CHECK(owners(page) > 0);
  ++owners_[static_cast<size_t>(page)];
}

void KvPool::give_back(int32_t page) {
  PONDER_CHECK(owners(page) > 0);
  if (--owners_[static_cast<size_t>(page)] == 0) free_.push_back(page);
}

KvView KvPool::layer(int64_t layer) const {
  KvView view = view_;
  view.key_offset += layer * layer_bytes_;
  view.value_offset += layer * layer_bytes_;
  return view;
}

uint64_t kv_bytes_per_token(const Config& config, DType dtype) {
  return KvPool::page_bytes(config, dtype) / static_cast<uint64_t>(kKvPage);
}

}  // namespace ponder
