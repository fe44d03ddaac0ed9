#include "core/arena.hpp"

#include <algorithm>

namespace ponder {
namespace {

constexpr size_t kSmallestChunk = size_t{1} << 20;

}  // namespace

size_t Arena::reserved_bytes() const {
  size_t total = 0;
  for (const auto& chunk : chunks_) total += chunk.size();
  return total;
}

std::byte* Arena::take_bytes(size_t bytes) {
  bytes = (bytes + kVectorAlign - 1) / kVectorAlign * kVectorAlign;
  if (chunk_ < chunks_.size() && used_ + bytes > chunks_[chunk_].size()) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ < chunks_.size() && chunks_[chunk_].size() < bytes) chunks_.resize(chunk_);
  if (chunk_ == chunks_.size()) {
    auto& chunk = chunks_.emplace_back(std::max({bytes, kSmallestChunk, reserved_bytes() / 2}));
    prefer_huge_pages(chunk.data(), chunk.size());
    used_ = 0;
  }
  std::byte* data = chunks_[chunk_].data() + used_;
  used_ += bytes;
  return data;
}

}  // namespace ponder
