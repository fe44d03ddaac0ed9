// Keys and values of one sequence: which pages hold them and how many positions are filled.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "model/kv_pool.hpp"

namespace ponder {

struct KvCacheOptions {
  int64_t capacity = 4096;    // positions
  DType dtype = DType::kF16;  // is_kv_type
  int64_t layers = -1;        // −1: those of the model; an MTP block's own cache has 1
};

// Pages may be shared with other caches; what is about to be written is made the cache's own first.
class KvCache {
 public:
  // A cache with a pool of its own, in which all of its pages are reserved. Fails if the memory
  // cannot be had or the capacity is beyond the model's context.
  static Result<KvCache> create(const Config& config, const KvCacheOptions& options);
  // An empty cache for up to `capacity` positions, with pages of `pool` as reserve() takes them.
  KvCache(std::shared_ptr<KvPool> pool, int64_t capacity)
      : pool_(std::move(pool)), capacity_(capacity) {}
  KvCache(KvCache&& other) noexcept = default;
  KvCache& operator=(KvCache&& other) noexcept;
  ~KvCache() { clear(); }

  int64_t length() const { return length_; }      // positions filled
  int64_t capacity() const { return capacity_; }  // positions that there may be
  int64_t layers() const { return pool_->layers(); }
  // Grouped-query attention: kBlocked. MLA: kLatent, rows [ĉ (rk); rotated k_r (dr)]. Valid until
  // the pages change.
  KvView layer(int64_t layer) const;
  std::span<const int32_t> pages() const { return pages_; }
  uint64_t bytes() const { return pool_->page_bytes() * pages_.size(); }

  // Makes room for `positions` after the filled ones, in pages that only this cache has. False, and
  // what was filled stays, if the pool has no page left or capacity() is exceeded.
  bool reserve(int64_t positions);
  bool reserved(int64_t positions) const;  // whether reserve() would have nothing to do

  void advance(int64_t positions);  // after all layers have written them
  void truncate(int64_t length);    // forgets the positions from `length` on; keeps the pages
  void clear();                     // and gives the pages back
  // Gives back the pages beyond the filled positions.
  void trim();
  // Of an empty cache: `length` filled positions in these pages, which it shares from now on.
  void adopt(std::span<const int32_t> pages, int64_t length);

 private:
  std::shared_ptr<KvPool> pool_;
  std::vector<int32_t> pages_;
  std::vector<std::byte*> data_;  // of each page
  int64_t capacity_ = 0;
  int64_t length_ = 0;
};

}  // namespace ponder
