// Formats, shapes and memory.
#include <gtest/gtest.h>

#include <cstring>

#include "core/arena.hpp"
#include "core/dtype.hpp"
#include "core/tensor_view.hpp"

namespace ponder {
namespace {

TEST(DType, NamesReadBack) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(parse_dtype(dtype_name(dtype)), dtype);
  }
  EXPECT_EQ(parse_dtype("Q4_K"), DType::kQ4_K);
  EXPECT_EQ(parse_dtype("q9"), std::nullopt);
}

TEST(DType, RowsAreWholeBlocks) {
  EXPECT_EQ(row_bytes(DType::kQ4_K, 512), 288u);
  EXPECT_EQ(row_bytes(DType::kQ4_K, 500), std::nullopt);
  EXPECT_EQ(row_bytes(DType::kF32, uint64_t{1} << 63), std::nullopt);
}

TEST(Shape, TextAndElements) {
  const Shape shape = Shape::of({2, 3, 4});
  EXPECT_EQ(shape.text(), "(2, 3, 4)");
  EXPECT_EQ(shape.elements(), 24);
}

TEST(Buffer, IsZeroedAlignedAndMoves) {
  for (const size_t count : {size_t{1}, size_t{1000}, size_t{1} << 20}) {
    Buffer<float> a(count);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(a.data()) % kVectorAlign, 0u);
    for (size_t i = 0; i < count; ++i) ASSERT_EQ(a[i], 0.0f);
    a[count - 1] = 5.0f;
    Buffer<float> b(3);
    b = std::move(a);
    EXPECT_EQ(b.size(), count);
    EXPECT_EQ(b[count - 1], 5.0f);
  }
}

TEST(Arena, GivesBackInScopes) {
  Arena arena;
  float* first;
  {
    const Arena::Scope scope(arena);
    first = arena.take<float>(100);
    std::memset(first, 1, 400);
    // Larger than any chunk so far, twice: earlier memory must stay valid.
    auto* big = arena.take<std::byte>(int64_t{3} << 20);
    std::memset(big, 2, size_t{3} << 20);
    EXPECT_EQ(reinterpret_cast<unsigned char*>(first)[399], 1);
  }
  const size_t reserved = arena.reserved_bytes();
  {
    const Arena::Scope scope(arena);
    EXPECT_EQ(arena.take<float>(100), first);
    arena.take<std::byte>(int64_t{3} << 20);
    EXPECT_EQ(arena.reserved_bytes(), reserved);
  }
}

}  // namespace
}  // namespace ponder
