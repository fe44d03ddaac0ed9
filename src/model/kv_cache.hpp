// Keys and values of one sequence: every layer's cache and how many positions are filled.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "core/buffer.hpp"
#include "model/config.hpp"
#include "ops/attention/kv_view.hpp"

namespace ponder {

struct KvCacheOptions {
  int64_t capacity = 4096;    // positions
  DType dtype = DType::kF16;  // is_kv_type
  int64_t layers = -1;        // −1: those of the model; an MTP block's own cache has 1
};

class KvCache {
 public:
  // Fails if the memory cannot be had or the capacity is beyond the model's context.
  static Result<KvCache> create(const Config& config, const KvCacheOptions& options);

  int64_t length() const { return length_; }      // positions filled
  int64_t capacity() const { return capacity_; }  // positions there is room for
  int64_t layers() const { return static_cast<int64_t>(views_.size()); }
  // Grouped-query attention: kBlocked. MLA: kLatent, rows [ĉ (rk); rotated k_r (dr)].
  const KvView& layer(int64_t layer) const { return views_[static_cast<size_t>(layer)]; }
  uint64_t bytes() const { return memory_.size(); }

  void advance(int64_t positions);  // after all layers have written them
  void truncate(int64_t length);    // forgets the positions from `length` on

 private:
  KvCache() = default;

  Buffer<std::byte> memory_;
  std::vector<KvView> views_;
  int64_t capacity_ = 0;
  int64_t length_ = 0;
};

// Bytes of cache that one position takes in all layers.
uint64_t kv_bytes_per_token(const Config& config, DType dtype);

}  // namespace ponder
