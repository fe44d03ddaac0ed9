#include "ops/embedding/embedding.hpp"

#include <gtest/gtest.h>

#include "quant/codec.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

constexpr int64_t kVocabulary = 37;

// A table of random numbers in `dtype`. bytes: (V, H).
std::vector<std::byte> random_table(DType dtype, int64_t width) {
  const auto values = testing::random_floats(1, kVocabulary * width);
  const auto stride = static_cast<int64_t>(row_bytes(dtype, static_cast<uint64_t>(width)).value());
  std::vector<std::byte> bytes(static_cast<size_t>(kVocabulary * stride));
  for (int64_t v = 0; v < kVocabulary; ++v)
    encode_row(dtype, values.data() + v * width, width, bytes.data() + v * stride);
  return bytes;
}

std::vector<float> run(const Context& context, DType dtype, const std::vector<std::byte>& bytes,
                       int64_t width, const std::vector<int32_t>& tokens) {
  std::vector<float> out(tokens.size() * static_cast<size_t>(width));
  embedding(context, {.table = {dtype, Shape::of({kVocabulary, width}), bytes},
                      .tokens = tokens.data(),
                      .out = out.data(),
                      .count = std::ssize(tokens)});
  return out;
}

TEST(Embedding, DecodesTheRowOfEachToken) {
  const std::vector<int32_t> tokens = {36, 0, 5, 5, 1};
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kF8E4M3, DType::kQ8_0,
                            DType::kQ4_K, DType::kQ6_K}) {
    for (const int64_t width : {256, 512}) {
      const auto bytes = random_table(dtype, width);
      const int64_t stride = std::ssize(bytes) / kVocabulary;
      testing::for_each_isa(1, [&](const Context& context) {
        const auto out = run(context, dtype, bytes, width, tokens);
        for (size_t t = 0; t < tokens.size(); ++t) {
          std::vector<float> expected(static_cast<size_t>(width));
          decode_row(dtype, bytes.data() + tokens[t] * stride, width, expected.data());
          EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                                 out.begin() + static_cast<int64_t>(t) * width))
              << dtype_name(dtype) << " token " << t;
        }
      });
    }
  }
}

TEST(Embedding, PlainRowsOfAnyWidth) {
  const Runtime runtime = testing::make_runtime(Isa::kRef);
  for (const int64_t width : {1, 3, 63}) {
    const auto values = testing::random_floats(1, kVocabulary * width);
    const auto out =
        run(runtime.context(), DType::kF32, random_table(DType::kF32, width), width, {7});
    EXPECT_TRUE(std::equal(out.begin(), out.end(), values.begin() + 7 * width));
  }
}

TEST(Embedding, ThreadsDoNotMatter) {
  std::vector<int32_t> tokens(300);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>(i * 7 % kVocabulary);
  const auto bytes = random_table(DType::kQ4_K, 256);
  testing::expect_threads_do_not_matter(
      [&](const Context& context) { return run(context, DType::kQ4_K, bytes, 256, tokens); });
}

TEST(EmbeddingDeathTest, RefusesTokensOutsideTheTable) {
  const Runtime runtime = testing::make_runtime(Isa::kRef);
  const auto bytes = random_table(DType::kF32, 3);
  for (const int32_t token : {-1, 37})
    EXPECT_DEATH(run(runtime.context(), DType::kF32, bytes, 3, {token}), "vocabulary");
}

std::vector<float> run_backward(const Context& context, const std::vector<int32_t>& tokens,
                                const std::vector<float>& dout, int64_t width, bool grouped) {
  std::vector<float> dtable(static_cast<size_t>((kVocabulary + 15) / 16 * 16 * width), 0.5f);
  embedding_backward(context, {.tokens = tokens.data(),
                               .dout = dout.data(),
                               .count = std::ssize(tokens),
                               .vocabulary = kVocabulary,
                               .width = width,
                               .dtable = dtable.data(),
                               .grouped = grouped});
  return dtable;
}

TEST(EmbeddingBackward, AddsToTheRowsOfTheTokens) {
  const Runtime runtime = testing::make_runtime(Isa::kRef);
  const std::vector<int32_t> tokens = {5, 0, 5, kVocabulary - 1, 5};
  const int64_t width = 21;
  const auto dout = testing::random_floats(1, std::ssize(tokens) * width);
  const auto rows = run_backward(runtime.context(), tokens, dout, width, false);
  const auto groups = run_backward(runtime.context(), tokens, dout, width, true);
  for (int64_t v = 0; v < kVocabulary; ++v) {
    for (int64_t h = 0; h < width; ++h) {
      float expected = 0.5f;
      for (size_t t = 0; t < tokens.size(); ++t)
        if (tokens[t] == v)
          expected += dout[t * static_cast<size_t>(width) + static_cast<size_t>(h)];
      EXPECT_EQ(rows[static_cast<size_t>(v * width + h)], expected);
      EXPECT_EQ(groups[static_cast<size_t>(v / 16 * width * 16 + h * 16 + v % 16)], expected);
    }
  }
}

TEST(EmbeddingBackward, ThreadsDoNotMatter) {
  std::vector<int32_t> tokens(300);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>(i * i % kVocabulary);
  const auto dout = testing::random_floats(1, 300 * 200);
  testing::expect_threads_do_not_matter(
      [&](const Context& context) { return run_backward(context, tokens, dout, 200, true); });
}

}  // namespace
}  // namespace ponder
