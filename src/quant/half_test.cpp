// The small floats: every code, and every place where rounding changes its mind.
#include "quant/half.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "testing/golden.hpp"

namespace ponder {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Value of sign, exponent and mantissa bits by the definition; infinities and NaN left out.
double small_float(uint32_t code, int exponent_bits, int mantissa_bits) {
  const uint32_t mantissa = code & ((1u << mantissa_bits) - 1);
  const int exponent = static_cast<int>(code >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const double unit = std::ldexp(1.0, -mantissa_bits);
  const double magnitude = exponent == 0 ? std::ldexp(mantissa * unit, 1 - bias)
                                         : std::ldexp(1.0 + mantissa * unit, exponent - bias);
  return (code >> (exponent_bits + mantissa_bits)) & 1 ? -magnitude : magnitude;
}

TEST(Half, F16DecodesEveryCode) {
  for (uint32_t code = 0; code < 0x10000; ++code) {
    const float value = f16_to_f32(static_cast<uint16_t>(code));
    const uint32_t magnitude = code & 0x7fff;
    ASSERT_EQ(std::signbit(value), code >= 0x8000) << code;
    if (magnitude > 0x7c00) {
      ASSERT_TRUE(std::isnan(value)) << code;
    } else if (magnitude == 0x7c00) {
      ASSERT_EQ(std::fabs(value), kInfinity) << code;
    } else {
      ASSERT_EQ(value, small_float(code, 5, 10)) << code;
    }
  }
}

TEST(Half, F16EncodesItsOwnValues) {
  for (uint32_t code = 0; code < 0x10000; ++code) {
    const float value = f16_to_f32(static_cast<uint16_t>(code));
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value)))) << code;
    } else {
      ASSERT_EQ(f32_to_f16(value), code);
    }
  }
}

// Around the middle of two neighbouring codes `low` and `low + 1`, for both signs.
template <typename Encode, typename Decode>
void expect_rounding_between(uint32_t low, uint32_t sign, Encode encode, Decode decode) {
  const float middle = (decode(low) + decode(low + 1)) / 2;
  const uint32_t even = low % 2 == 0 ? low : low + 1;
  ASSERT_EQ(encode(middle), even) << low;
  ASSERT_EQ(encode(std::nextafterf(middle, 0.0f)), low) << low;
  ASSERT_EQ(encode(std::nextafterf(middle, kInfinity)), low + 1) << low;
  ASSERT_EQ(encode(-middle), even | sign) << low;
}

TEST(Half, F16RoundsToNearestEven) {
  for (uint32_t low = 0; low < 0x7bff; ++low) {
    expect_rounding_between(low, 0x8000, f32_to_f16,
                            [](uint32_t c) { return f16_to_f32(static_cast<uint16_t>(c)); });
  }
  EXPECT_EQ(f32_to_f16(65519.996f), 0x7bff);
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7c00);
  EXPECT_EQ(f32_to_f16(-1e30f), 0xfc00);
  EXPECT_EQ(f32_to_f16(1e-30f), 0);
}

TEST(Half, Bf16IsTheUpperHalf) {
  for (uint32_t code = 0; code < 0x10000; ++code) {
    const float value = bf16_to_f32(static_cast<uint16_t>(code));
    ASSERT_EQ(std::bit_cast<uint32_t>(value), code << 16);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(value)))) << code;
    } else {
      ASSERT_EQ(f32_to_bf16(value), code);
    }
  }
  // A NaN whose payload lies in the half that is cut off.
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7f800001u)))));
}

TEST(Half, Bf16RoundsToNearestEven) {
  for (uint32_t low = 0; low < 0x7f80; ++low) {
    const uint32_t even = low % 2 == 0 ? low : low + 1;
    const auto encode = [](uint32_t bits) { return f32_to_bf16(std::bit_cast<float>(bits)); };
    ASSERT_EQ(encode((low << 16) + 0x8000), even);
    ASSERT_EQ(encode((low << 16) + 0x7fff), low);
    ASSERT_EQ(encode((low << 16) + 0x8001), low + 1);
    ASSERT_EQ(encode((low << 16) + 0x80008000u), even | 0x8000);
  }
}

TEST(Half, F8DecodesEveryCode) {
  const auto golden = testing::load_golden("tests/golden/quant/vectors.safetensors");
  const auto expected = golden.at("f8e4m3.all.f32").values<float>();
  for (uint32_t code = 0; code < 256; ++code) {
    const float value = f8e4m3_to_f32(static_cast<uint8_t>(code));
    if ((code & 0x7f) == 0x7f) {
      ASSERT_TRUE(std::isnan(value) && std::isnan(expected[code])) << code;
    } else {
      ASSERT_EQ(value, small_float(code, 4, 3)) << code;
      ASSERT_EQ(std::bit_cast<uint32_t>(value), std::bit_cast<uint32_t>(expected[code])) << code;
      ASSERT_EQ(f32_to_f8e4m3(value), code);
    }
  }
}

TEST(Half, F8RoundsToNearestEvenAndSaturates) {
  for (uint32_t low = 0; low < 0x7e; ++low) {
    expect_rounding_between(low, 0x80, f32_to_f8e4m3,
                            [](uint32_t c) { return f8e4m3_to_f32(static_cast<uint8_t>(c)); });
  }
  EXPECT_EQ(f32_to_f8e4m3(460.0f), 0x7e);
  EXPECT_EQ(f32_to_f8e4m3(1e30f), 0x7e);
  EXPECT_EQ(f32_to_f8e4m3(-kInfinity), 0xfe);
  EXPECT_EQ(f32_to_f8e4m3(std::numeric_limits<float>::quiet_NaN()) & 0x7f, 0x7f);
  EXPECT_EQ(f32_to_f8e4m3(1e-30f), 0);
}

}  // namespace
}  // namespace ponder
