#include "core/buffer.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "base/macros.hpp"

namespace ponder {
namespace {

constexpr size_t kLarge = size_t{256} << 10;

// Room for a full vector read past the last element.
size_t padded(size_t bytes) { return (bytes + 2 * kVectorAlign - 1) / kVectorAlign * kVectorAlign; }

}  // namespace

void* try_take_memory(size_t bytes) {
  const size_t total = padded(bytes);
  if (total < kLarge) {
    void* data = std::aligned_alloc(kVectorAlign, total);
    return data != nullptr ? std::memset(data, 0, total) : nullptr;
  }
  void* data = ::mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return data != MAP_FAILED ? data : nullptr;
}

void* take_memory(size_t bytes) {
  void* data = try_take_memory(bytes);
  PONDER_CHECK(data != nullptr);
  return data;
}

void give_memory(void* data, size_t bytes) {
  if (data == nullptr) return;
  const size_t total = padded(bytes);
  if (total < kLarge) {
    std::free(data);
  } else {
    ::munmap(data, total);
  }
}

void prefer_huge_pages(void* data, size_t bytes) {
  if (padded(bytes) >= kLarge) ::madvise(data, padded(bytes), MADV_HUGEPAGE);
}

}  // namespace ponder
