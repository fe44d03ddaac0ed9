// Encoders: the simple ones bit for bit, the searched ones by the error they leave.
#include "quant/encode.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/rng.hpp"
#include "quant/codec.hpp"
#include "quant/formats.hpp"
#include "testing/golden.hpp"

namespace ponder {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<DType> all_formats() {
  std::vector<DType> formats;
  for (int i = 0; i < kDTypeCount; ++i) {
    if (is_format(static_cast<DType>(i))) formats.push_back(static_cast<DType>(i));
  }
  return formats;
}

std::vector<std::byte> encoded(DType dtype, const std::vector<float>& in) {
  std::vector<std::byte> row(row_bytes(dtype, in.size()).value());
  encode_row(dtype, in.data(), static_cast<int64_t>(in.size()), row.data());
  return row;
}

std::vector<float> decoded(DType dtype, const std::vector<std::byte>& row, size_t elements) {
  std::vector<float> out(elements);
  decode_row(dtype, row.data(), static_cast<int64_t>(elements), out.data());
  return out;
}

std::vector<float> round_trip(DType dtype, const std::vector<float>& in) {
  return decoded(dtype, encoded(dtype, in), in.size());
}

std::vector<float> normals(size_t count, uint64_t seed, float sigma) {
  Rng rng(seed);
  std::vector<float> values(count);
  for (float& v : values) v = sigma * rng.next_normal();
  return values;
}

// √(Σ(a − b)² / Σa²).
double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    error += std::pow(static_cast<double>(a[i]) - b[i], 2);
    norm += std::pow(static_cast<double>(a[i]), 2);
  }
  return std::sqrt(error / norm);
}

class AllFormats : public ::testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(Encode, AllFormats, ::testing::ValuesIn(all_formats()),
                         [](const auto& test) { return std::string(dtype_name(test.param)); });

void expect_golden_bytes(const std::string& path, const std::string& prefix, DType dtype,
                         const std::string& name) {
  const auto golden = testing::load_golden(path);
  const auto input = golden.at(prefix + ".input").values<float>();
  EXPECT_EQ(encoded(dtype, input), golden.at(prefix + "." + name).bytes) << name;
}

TEST(Encode, SimpleFormatsGiveTheGoldenBytes) {
  const std::string vectors = "tests/golden/quant/vectors.safetensors";
  expect_golden_bytes(vectors, "quantize", DType::kQ8_0, "Q8_0");
  expect_golden_bytes(vectors, "quantize", DType::kQ4_0, "Q4_0");
  expect_golden_bytes(vectors, "quantize", DType::kQ5_0, "Q5_0");
  expect_golden_bytes(vectors, "quantize", DType::kBF16, "BF16");
  const std::string blocks = "tests/golden/quant/blocks.safetensors";
  expect_golden_bytes(blocks, "encode", DType::kQ8_0, "Q8_0");
  expect_golden_bytes(blocks, "encode", DType::kQ4_0, "Q4_0");
  expect_golden_bytes(blocks, "encode", DType::kQ4_1, "Q4_1");
  expect_golden_bytes(blocks, "encode", DType::kQ5_0, "Q5_0");
  expect_golden_bytes(blocks, "encode", DType::kQ5_1, "Q5_1");
}

// Relative error on a normal distribution that each format may leave; for searched formats a few
// per cent above what the search reaches, so that a step lost in it is noticed.
double allowed_error(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return 0;
    case DType::kF16:
      return 0.00022;
    case DType::kBF16:
      return 0.0017;
    case DType::kF8E4M3:
      return 0.027;
    case DType::kQ8_0:
      return 0.0056;
    case DType::kQ4_0:
      return 0.09;
    case DType::kQ4_1:
      return 0.082;
    case DType::kQ5_0:
      return 0.045;
    case DType::kQ5_1:
      return 0.0395;
    case DType::kQ2_K:
      return 0.274;
    case DType::kQ3_K:
      return 0.151;
    case DType::kQ4_K:
      return 0.0733;
    case DType::kQ5_K:
      return 0.0362;
    case DType::kQ6_K:
      return 0.0181;
    case DType::kIQ4_NL:
      return 0.0765;
    case DType::kIQ4_XS:
      return 0.0772;
    default:
      return 0;
  }
}

TEST_P(AllFormats, LeaveLittleError) {
  // f8 is meant for numbers scaled into its range.
  const float sigma = GetParam() == DType::kF8E4M3 ? 50.0f : 0.02f;
  const auto in = normals(32 * 256, 3, sigma);
  const double error = relative_error(in, round_trip(GetParam(), in));
  RecordProperty("error", std::to_string(error));
  EXPECT_LE(error, allowed_error(GetParam()));
}

TEST_P(AllFormats, KeepTheScaleOfSmallWeights) {
  if (GetParam() == DType::kF8E4M3) return;  // ends at 2⁻⁹
  // Steps of such blocks are subnormal in f16, and coarse.
  const auto in = normals(8 * 256, 4, 1e-4f);
  EXPECT_LE(relative_error(in, round_trip(GetParam(), in)), 1.1 * allowed_error(GetParam()) + 0.01);
}

TEST_P(AllFormats, KeepZeros) {
  const std::vector<float> zeros(256, 0.0f);
  EXPECT_EQ(round_trip(GetParam(), zeros), zeros);
}

TEST_P(AllFormats, KeepConstants) {
  for (const float constant : {1.0f, -1.0f, 0.03f, -0.03f}) {
    const std::vector<float> in(256, constant);
    EXPECT_LE(relative_error(in, round_trip(GetParam(), in)), 0.04) << constant;
  }
}

TEST_P(AllFormats, GiveFiniteValuesForAnyBlock) {
  if (!visit_format(GetParam(), [](auto format) { return decltype(format)::kIsBlock; })) return;
  const float max = std::numeric_limits<float>::max();
  const float least = std::numeric_limits<float>::denorm_min();
  Rng rng(5);
  for (const std::vector<float>& poison :
       std::vector<std::vector<float>>{{kNan},
                                       {kInfinity},
                                       {-kInfinity},
                                       {max, -max},
                                       {least},
                                       {-least, least},
                                       {1e-39f},
                                       {kNan, kInfinity, -kInfinity, max, least, 1.0f, 0.0f},
                                       {1e-8f, 1.0f},
                                       {6e-8f, -6e4f}}) {
    for (const double share : {0.01, 0.3, 1.0}) {
      std::vector<float> in = normals(256, 6, 1.0f);
      for (float& v : in) {
        if (rng.next_double() < share) v = poison[rng.next_below(poison.size())];
      }
      for (const float v : round_trip(GetParam(), in)) ASSERT_TRUE(std::isfinite(v)) << poison[0];
    }
  }
}

TEST_P(AllFormats, DoNotLetNanTouchTheOtherWeights) {
  auto in = normals(256, 7, 0.5f);
  in[17] = 0;
  const auto clean = round_trip(GetParam(), in);
  in[17] = kNan;
  const auto poisoned = round_trip(GetParam(), in);
  for (size_t i = 0; i < in.size(); ++i) {
    if (i == 17) continue;
    ASSERT_EQ(clean[i], poisoned[i]) << i;
  }
}

TEST_P(AllFormats, EncodeTheirOwnValuesWithLittleLoss) {
  const auto in = normals(16 * 256, 8, 1.0f);
  const auto once = round_trip(GetParam(), in);
  const auto twice = round_trip(GetParam(), once);
  const bool searched = visit_format(GetParam(), [](auto format) {
    using Format = decltype(format);
    if constexpr (Format::kIsBlock) return Format::kHasSubScales || Format::kHasCodebook;
    return false;
  });
  if (searched) {
    EXPECT_LE(relative_error(once, twice), 0.5 * allowed_error(GetParam()));
  } else {
    EXPECT_EQ(once, twice);
  }
}

// The weights that the search gives errors (see SubBlock).
double weighted_error(const std::vector<float>& in, const std::vector<float>& out) {
  double square = 0, error = 0;
  for (const float x : in) square += static_cast<double>(x) * x;
  const double rms = std::sqrt(square / static_cast<double>(in.size()));
  for (size_t i = 0; i < in.size(); ++i) {
    error += (std::fabs(in[i]) + rms) * std::pow(static_cast<double>(in[i]) - out[i], 2);
  }
  return error;
}

// IQ4_NL has one free number, d, so that the best block can be found by trying them all.
TEST(Encode, SearchComesCloseToTheBestScale) {
  constexpr auto kDType = DType::kIQ4_NL;
  double found = 0, best = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto in = normals(32, 100 + seed, 1.0f);
    found += weighted_error(in, round_trip(kDType, in));
    double least = kInfinity;
    for (uint32_t code = f32_to_f16(0.005f); code < f32_to_f16(0.04f); ++code) {
      for (const uint32_t sign : {0u, 0x8000u}) {
        const float d = f16_to_f32(static_cast<uint16_t>(code | sign));
        std::vector<float> out(32);
        for (size_t e = 0; e < 32; ++e) {
          for (const int8_t level : IQ4_NL::kCodebook) {
            if (std::fabs(d * level - in[e]) < std::fabs(out[e] - in[e])) out[e] = d * level;
          }
        }
        least = std::min(least, weighted_error(in, out));
      }
    }
    best += least;
  }
  EXPECT_LE(found, 1.02 * best);
  EXPECT_GE(found, 0.999 * best);
}

// A block whose values some choice of integers reproduces exactly.
TEST(Encode, SearchFindsExactBlocks) {
  Rng rng(9);
  for (int repeat = 0; repeat < 20; ++repeat) {
    IntBlock ints;
    ints.d = f32_to_f16(0.01f);
    ints.dmin = f32_to_f16(0.02f);
    for (int s = 0; s < 8; ++s) {
      ints.scale[s] = static_cast<int8_t>(s == 0 ? 63 : 20 + rng.next_below(40));
      ints.min[s] = static_cast<uint8_t>(s == 1 ? 63 : rng.next_below(64));
    }
    for (int e = 0; e < 256; ++e) {
      // Both ends of the levels occur in each sub-block.
      ints.q[e] = static_cast<uint8_t>(e % 32 == 0 ? 0 : e % 32 == 1 ? 15 : rng.next_below(16));
    }
    Q4_K::Block block;
    Q4_K::from_ints(ints, block);
    std::vector<float> in(256), out(256);
    Q4_K::decode(block, in.data());
    Q4_K::encode(in.data(), block);
    Q4_K::decode(block, out.data());
    EXPECT_LE(relative_error(in, out), 0.002) << repeat;
  }
}

}  // namespace
}  // namespace ponder
