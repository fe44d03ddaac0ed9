// Every format against the values that gguf-py gives, and the layouts against their own inverse.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>
#include <vector>

#include "base/rng.hpp"
#include "quant/codec.hpp"
#include "quant/decode.hpp"
#include "quant/formats.hpp"
#include "testing/golden.hpp"

namespace ponder {
namespace {

// The name of the format in capitals, as the golden files have it.
template <typename Format>
std::string golden_name() {
  std::string name(dtype_name(Format::kDType));
  for (char& c : name) c = static_cast<char>(std::toupper(c));
  return name;
}

// Same bits, or both NaN.
::testing::AssertionResult same_floats(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return ::testing::AssertionFailure() << "sizes differ";
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (std::bit_cast<uint32_t>(a[i]) != std::bit_cast<uint32_t>(b[i])) {
      return ::testing::AssertionFailure() << "at " << i << ": " << a[i] << " and " << b[i];
    }
  }
  return ::testing::AssertionSuccess();
}

template <typename Format>
class BlockFormats : public ::testing::Test {};
using BlockTypes =
    ::testing::Types<Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS>;
struct FormatNames {
  template <typename Format>
  static std::string GetName(int) {
    return golden_name<Format>();
  }
};
TYPED_TEST_SUITE(BlockFormats, BlockTypes, FormatNames);

template <typename Format>
void expect_golden_values(const std::string& path) {
  const auto golden = testing::load_golden(path);
  const testing::GoldenTensor& raw = golden.at(golden_name<Format>() + ".raw");
  const testing::GoldenTensor& decoded = golden.at(golden_name<Format>() + ".f32");
  const std::vector<float> expected = decoded.values<float>();
  ASSERT_EQ(raw.shape.at(1), Format::kBlockBytes);
  std::vector<float> values(static_cast<size_t>(raw.shape[0]) * Format::kBlockElements);
  ASSERT_EQ(values.size(), expected.size());
  decode_row(Format::kDType, raw.bytes.data(), static_cast<int64_t>(values.size()), values.data());
  EXPECT_TRUE(same_floats(values, expected));
}

TYPED_TEST(BlockFormats, DecodeToGoldenValues) {
  expect_golden_values<TypeParam>("tests/golden/quant/blocks.safetensors");
}

TYPED_TEST(BlockFormats, DecodeToGoldenVectors) {
  if (TypeParam::kHasCodebook) return;  // these vectors hold no IQ4
  expect_golden_values<TypeParam>("tests/golden/quant/vectors.safetensors");
}

template <typename Format>
typename Format::Block random_block(Rng& rng) {
  typename Format::Block block;
  auto* bytes = reinterpret_cast<unsigned char*>(&block);
  for (size_t i = 0; i < sizeof block; ++i) bytes[i] = static_cast<unsigned char>(rng.next_u64());
  return block;
}

TYPED_TEST(BlockFormats, IntegersAreAnotherViewOfTheSameBits) {
  Rng rng(1);
  for (int repeat = 0; repeat < 200; ++repeat) {
    const auto block = random_block<TypeParam>(rng);
    IntBlock ints;
    TypeParam::to_ints(block, ints);
    for (int e = 0; e < TypeParam::kBlockElements; ++e) {
      ASSERT_EQ(ints.q[e] >> (TypeParam::kLowBits + TypeParam::kHighBits), 0);
    }
    typename TypeParam::Block back;
    std::memset(&back, 0xa5, sizeof back);
    TypeParam::from_ints(ints, back);
    ASSERT_EQ(std::memcmp(&block, &back, sizeof block), 0) << repeat;
  }
}

// The formula in the contract, spelled out once more, independent of decode.hpp.
template <typename Format>
float value_by_contract(const IntBlock& ints, int e) {
  const int s = e / Format::kScaleElements;
  float level = static_cast<float>(ints.q[e]) - static_cast<float>(Format::kOffset);
  if constexpr (Format::kHasCodebook) level = Format::kCodebook[ints.q[e]];
  const float d = f16_to_f32(ints.d), dmin = f16_to_f32(ints.dmin);
  const float product = (d * static_cast<float>(ints.scale[s])) * level;
  if (!Format::kHasMin) return product;
  if (Format::kMinIsAdded) return product + dmin * static_cast<float>(ints.min[s]);
  return product - dmin * static_cast<float>(ints.min[s]);
}

TYPED_TEST(BlockFormats, IntegersGiveTheValues) {
  Rng rng(2);
  for (int repeat = 0; repeat < 200; ++repeat) {
    const auto block = random_block<TypeParam>(rng);
    IntBlock ints;
    TypeParam::to_ints(block, ints);
    std::vector<float> values(TypeParam::kBlockElements), expected(values.size());
    TypeParam::decode(block, values.data());
    for (int e = 0; e < TypeParam::kBlockElements; ++e) {
      expected[static_cast<size_t>(e)] = value_by_contract<TypeParam>(ints, e);
    }
    ASSERT_TRUE(same_floats(values, expected));
  }
}

template <typename... Format>
void expect_sizes_of_dtype_info(FormatList<Format...>) {
  (
      [] {
        const auto& info = dtype_info(Format::kDType);
        EXPECT_EQ(info.block_elements, Format::kBlockElements) << info.name;
        EXPECT_EQ(info.block_bytes, Format::kBlockBytes) << info.name;
        EXPECT_EQ(info.quantised, Format::kIsBlock) << info.name;
        EXPECT_EQ(alignof(typename Format::Block), 1u) << info.name;
      }(),
      ...);
}

TEST(Formats, HaveTheSizesOfTheirDType) { expect_sizes_of_dtype_info(Formats{}); }

TEST(Formats, AreFoundByDType) {
  std::set<DType> formats;
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (!is_format(dtype)) continue;
    formats.insert(dtype);
    EXPECT_EQ(visit_format(dtype, [](auto format) { return decltype(format)::kDType; }), dtype);
  }
  EXPECT_EQ(formats.size(), 16u);
  EXPECT_FALSE(is_format(DType::kI32));
}

TEST(Formats, DecodeFromAnyAddress) {
  auto golden = testing::load_golden("tests/golden/quant/blocks.safetensors");
  const auto& raw = golden.at("Q4_K.raw");
  const auto expected = golden.at("Q4_K.f32").values<float>();
  std::vector<std::byte> shifted(raw.bytes.size() + 1);
  std::copy(raw.bytes.begin(), raw.bytes.end(), shifted.begin() + 1);
  std::vector<float> values(expected.size());
  decode_row(DType::kQ4_K, shifted.data() + 1, static_cast<int64_t>(values.size()), values.data());
  EXPECT_TRUE(same_floats(values, expected));
}

}  // namespace
}  // namespace ponder
