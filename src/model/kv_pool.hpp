// The memory of caches: pages of kKvPage positions, each with all layers, counted by how many
// sequences share them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "core/buffer.hpp"
#include "model/config.hpp"
#include "ops/attention/kv_view.hpp"

namespace ponder {

struct KvPoolOptions {
  int64_t pages = 0;
  DType dtype = DType::kF16;  // is_kv_type
  int64_t layers = -1;        // −1: those of the model; an MTP block's own cache has 1
};

// Used by one thread at a time. Memory that no page has touched yet is only reserved.
class KvPool {
 public:
  // Fails if there is not so much memory.
  static Result<std::shared_ptr<KvPool>> create(const Config& config, const KvPoolOptions& options);

  int64_t pages() const { return static_cast<int64_t>(owners_.size()); }
  int64_t free_pages() const { return static_cast<int64_t>(free_.size()); }
  int64_t layers() const { return layers_; }
  DType dtype() const { return view_.dtype; }
  uint64_t page_bytes() const { return page_bytes_; }

  // A page that nobody has, now with one owner; −1 if there is none. Its contents are anything.
  int32_t take();
  void share(int32_t page);      // one owner more
  void give_back(int32_t page);  // one less; without owners it is free
  int32_t owners(int32_t page) const { return owners_[static_cast<size_t>(page)]; }

  std::byte* data(int32_t page) { return memory_.data() + page_bytes_ * static_cast<size_t>(page); }
  // How one layer's keys and values lie in a page; without pages.
  KvView layer(int64_t layer) const;

  // Bytes of a page of such a pool; 0 if that is beyond any memory.
  static uint64_t page_bytes(const Config& config, DType dtype, int64_t layers = -1);

 private:
  KvPool() = default;

  Buffer<std::byte> memory_;
  std::vector<int32_t> owners_;  // of each page
  std::vector<int32_t> free_;    // taken from the end
  KvView view_;                  // of layer 0
  int64_t layers_ = 0;
  int64_t layer_bytes_ = 0;
  uint64_t page_bytes_ = 0;
};

// Bytes of cache that one position takes in all layers.
uint64_t kv_bytes_per_token(const Config& config, DType dtype);

}  // namespace ponder
