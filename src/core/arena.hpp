// A stack of temporary arrays for the ops of one forward pass. One thread allocates; others may
// use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/buffer.hpp"

namespace ponder {

// Memory is kept between uses and given back in the order of scopes:
//   const Arena::Scope scope(arena);
//   float* h = arena.take<float>(T * H);
class Arena {
 public:
  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), chunk_(arena.chunk_), used_(arena.used_) {}
    ~Scope() {
      arena_.chunk_ = chunk_;
      arena_.used_ = used_;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    size_t chunk_, used_;
  };

  // `count` elements, 64-byte aligned, not initialised; valid until the enclosing scope ends.
  template <typename T>
  T* take(int64_t count) {
    return reinterpret_cast<T*>(take_bytes(static_cast<size_t>(count) * sizeof(T)));
  }

  size_t reserved_bytes() const;

 private:
  std::byte* take_bytes(size_t bytes);

  std::vector<Buffer<std::byte>> chunks_;
  size_t chunk_ = 0;  // index of the chunk in use
  size_t used_ = 0;   // bytes used in it
};

}  // namespace ponder
