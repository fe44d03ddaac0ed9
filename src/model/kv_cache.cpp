#include "model/kv_cache.hpp"

#include <cstring>

#include "base/checked_math.hpp"

namespace ponder {

Result<KvCache> KvCache::create(const Config& config, const KvCacheOptions& options) {
  if (options.capacity < 1 || options.capacity > config.context) {
    return Failure{
        {.what = "a context of " + std::to_string(options.capacity) + " tokens is not possible",
         .where = "context",
         .mend = "use 1 to " + std::to_string(config.context) + ", what the model was made for"}};
  }
  auto pool = PONDER_TRY(KvPool::create(config, {.pages = ceil_div(options.capacity, kKvPage),
                                                 .dtype = options.dtype,
                                                 .layers = options.layers}));
  KvCache cache(std::move(pool), options.capacity);
  PONDER_CHECK(cache.reserve(options.capacity));
  return cache;
}

KvCache& KvCache::operator=(KvCache&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(pages_, other.pages_);
  std::swap(data_, other.data_);
  std::swap(capacity_, other.capacity_);
  std::swap(length_, other.length_);
  return *this;
}

KvView KvCache::layer(int64_t layer) const {
  KvView view = pool_->layer(layer);
  view.pages = data_.data();
  view.page_count = std::ssize(data_);
  return view;
}

bool KvCache::reserved(int64_t positions) const {
  const int64_t end = length_ + positions;
  if (end > capacity_ || ceil_div(end, kKvPage) > std::ssize(pages_)) return false;
  for (int64_t i = length_ / kKvPage; i * kKvPage < end; ++i)
    if (pool_->owners(pages_[static_cast<size_t>(i)]) > 1) return false;
  return true;
}

bool KvCache::reserve(int64_t positions) {
  const int64_t end = length_ + positions;
  if (end > capacity_) return false;
  for (int64_t i = length_ / kKvPage; i * kKvPage < end; ++i) {
    const auto index = static_cast<size_t>(i);
    const bool held = index < pages_.size();
    if (held && pool_->owners(pages_[index]) == 1) continue;
    const int32_t page = pool_->take();
    if (page < 0) return false;
    std::byte* data = pool_->data(page);
    if (!held) {
      pages_.push_back(page);
      data_.push_back(data);
      continue;
    }
    if (i * kKvPage < length_)
      std::memcpy(data, data_[index], static_cast<size_t>(pool_->page_bytes()));
    pool_->give_back(std::exchange(pages_[index], page));
    data_[index] = data;
  }
  return true;
}

void KvCache::advance(int64_t positions) {
  PONDER_CHECK(positions >= 0 && positions <= capacity_ - length_);
  length_ += positions;
}

void KvCache::truncate(int64_t length) {
  PONDER_CHECK(length >= 0 && length <= length_);
  length_ = length;
}

void KvCache::clear() {
  length_ = 0;
  trim();
}

void KvCache::trim() {
  while (std::ssize(pages_) > ceil_div(length_, kKvPage)) {
    pool_->give_back(pages_.back());
    pages_.pop_back();
    data_.pop_back();
  }
}

void KvCache::adopt(std::span<const int32_t> pages, int64_t length) {
  PONDER_CHECK(pages_.empty() && ceil_div(length, kKvPage) == std::ssize(pages));
  PONDER_CHECK(length <= capacity_);
  for (const int32_t page : pages) {
    pool_->share(page);
    pages_.push_back(page);
    data_.push_back(pool_->data(page));
  }
  length_ = length;
}

}  // namespace ponder
