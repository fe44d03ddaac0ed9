#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "device/cpu.hpp"
#include "testing/exp.hpp"

namespace ponder {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

using ExpAll = void (*)(const float*, float*, int64_t) noexcept;

// exp_all of every instruction set that this machine has, with its name.
std::vector<std::pair<std::string, ExpAll>> exponentials() {
  std::vector<std::pair<std::string, ExpAll>> result;
  for (const Isa isa : available_isas()) {
    if (isa == Isa::kAvx2) result.emplace_back("avx2", avx2::exp_all);
    if (isa == Isa::kAvx512) result.emplace_back("avx512", avx512::exp_all);
  }
  return result;
}

// Every 1009th float of a range of bit patterns.
std::vector<float> floats_between(float first, float last) {
  std::vector<float> values;
  const auto from = std::bit_cast<uint32_t>(first), to = std::bit_cast<uint32_t>(last);
  for (uint32_t bits = from; bits <= to; bits += 1009) values.push_back(std::bit_cast<float>(bits));
  values.resize((values.size() + 15) / 16 * 16, last);
  return values;
}

double unit_in_last_place(double value) { return std::ldexp(1.0, std::ilogb(value) - 23); }

TEST(SimdMath, ExponentialIsWithinTwoUlp) {
  for (const auto& [name, exp_all] : exponentials()) {
    for (const auto& x : {floats_between(-0.0f, -87.3f), floats_between(0.0f, 88.0f)}) {
      std::vector<float> y(x.size());
      exp_all(x.data(), y.data(), static_cast<int64_t>(x.size()));
      double worst = 0.0;
      float where = 0.0f;
      for (size_t i = 0; i < x.size(); ++i) {
        const double exact = std::exp(static_cast<double>(x[i]));
        const double error =
            std::abs(static_cast<double>(y[i]) - exact) / unit_in_last_place(exact);
        if (error > worst) {
          worst = error;
          where = x[i];
        }
      }
      EXPECT_LT(worst, 2.0) << name << " at " << where;
    }
  }
}

TEST(SimdMath, ExponentialOutsideItsRange) {
  for (const auto& [name, exp_all] : exponentials()) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> x = {-87.5f, -1000.0f, -kInfinity, 89.0f, kInfinity, nan,  -nan, 0.0f,
                                  -0.0f,  88.0f,    1e-40f,     0.0f,  0.0f,      0.0f, 0.0f, 0.0f};
    std::vector<float> y(x.size());
    exp_all(x.data(), y.data(), static_cast<int64_t>(x.size()));
    for (const int i : {0, 1, 2}) EXPECT_EQ(y[static_cast<size_t>(i)], 0.0f) << name;
    EXPECT_EQ(y[3], y[9]) << name;
    EXPECT_EQ(y[4], y[9]) << name;
    EXPECT_TRUE(std::isnan(y[5]) && std::isnan(y[6])) << name;
    for (const int i : {7, 8, 10}) EXPECT_EQ(y[static_cast<size_t>(i)], 1.0f) << name;
  }
}

}  // namespace
}  // namespace ponder
