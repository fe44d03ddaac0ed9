// Owned memory for kernels: 64-byte aligned, with room to read a full vector past the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace ponder {

inline constexpr size_t kVectorAlign = 64;

// Zeroed memory for `bytes` (> 0) and a vector more; large pieces come straight from the system, so
// that pages never touched cost nothing and freed ones go back. Aborts if there is none;
// try_take_memory() gives nullptr then.
void* take_memory(size_t bytes);
void* try_take_memory(size_t bytes);
void give_memory(void* data, size_t bytes);
// Asks for pages of 2 MiB, for memory that will be touched all over: fewer misses of the TLB when
// it is streamed through. Changes nothing where the system has none.
void prefer_huge_pages(void* data, size_t bytes);

// A move-only array of trivially copyable T, zeroed when made.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t count) : size_(count) {
    if (count == 0) return;
    data_ = static_cast<T*>(take_memory(count * sizeof(T)));
  }
  // Without elements if there is not so much memory.
  static Buffer try_create(size_t count) {
    Buffer buffer;
    if (count == 0 || count > SIZE_MAX / 2 / sizeof(T)) return buffer;
    buffer.data_ = static_cast<T*>(try_take_memory(count * sizeof(T)));
    if (buffer.data_ != nullptr) buffer.size_ = count;
    return buffer;
  }
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() { give_memory(data_, size_ * sizeof(T)); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  std::span<T> span() { return {data_, size_}; }
  std::span<const T> span() const { return {data_, size_}; }

  // At least `count` elements afterwards; contents are lost when it grows.
  void grow(size_t count) {
    if (count > size_) *this = Buffer(count);
  }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace ponder
