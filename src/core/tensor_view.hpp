// A tensor in someone else's memory: data, format and shape. Row-major, last dimension contiguous.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/dtype.hpp"

namespace ponder {

inline constexpr int kMaxRank = 4;

// Dimensions from outermost to innermost, as safetensors writes them (GGUF writes the reverse).
struct Shape {
  std::array<int64_t, kMaxRank> dims = {};
  int rank = 0;

  static Shape of(std::initializer_list<int64_t> list);
  int64_t operator[](int i) const { return dims[static_cast<size_t>(i)]; }
  bool operator==(const Shape&) const = default;
  int64_t elements() const;  // product; checked when the shape was read
  std::string text() const;  // "(3, 4)"
};

struct TensorView {
  DType dtype = DType::kF32;
  Shape shape;
  std::span<const std::byte> bytes;  // exactly the tensor's data; unaligned in general

  bool empty() const { return bytes.data() == nullptr; }
};

}  // namespace ponder
