#include "ops/swiglu/swiglu.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/swiglu/swiglu_ref.hpp"
#include "testing/gradcheck.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::convert;
using testing::for_each_isa;
using testing::random_floats;

// gate, up: (rows, width) contiguous.
std::vector<float> run(const Context& context, const std::vector<float>& gate,
                       const std::vector<float>& up, int64_t rows) {
  const auto width = static_cast<int64_t>(gate.size()) / rows;
  std::vector<float> y(gate.size());
  swiglu(context, {.gate = gate.data(),
                   .up = up.data(),
                   .y = y.data(),
                   .rows = rows,
                   .width = width,
                   .stride = width,
                   .y_stride = width});
  return y;
}

TEST(Swiglu, FollowsTheReferenceInF64) {
  for_each_isa(2, [](const Context& context) {
    for (const int64_t width : {1, 3, 7, 9, 63, 126, 896, 1536}) {
      auto gate = random_floats(1, 3 * width);
      for (float& v : gate) v *= 8.0f;
      const auto up = random_floats(2, 3 * width);
      std::vector<double> expected(gate.size());
      swiglu_row<double>(convert<double>(gate).data(), convert<double>(up).data(), expected.data(),
                         3 * width);
      const auto y = run(context, gate, up, 3);
      for (size_t i = 0; i < y.size(); ++i)
        EXPECT_NEAR(static_cast<double>(y[i]), expected[i], 5e-7 * std::abs(expected[i]));
    }
  });
}

TEST(Swiglu, IsFlatFarFromZero) {
  for_each_isa(1, [](const Context& context) {
    const std::vector<float> gate = {-90.0f, -1e4f, -1e30f, 100.0f, 1e30f, 0.0f, -0.0f};
    const auto y = run(context, gate, std::vector<float>(gate.size(), 1.0f), 1);
    for (const size_t i : {0, 1}) EXPECT_NEAR(y[i], 0.0f, 1e-30f);
    EXPECT_LE(std::abs(y[2]), 1e-7f);
    EXPECT_EQ(y[3], 100.0f);
    EXPECT_EQ(y[4], 1e30f);
    for (const size_t i : {5, 6}) EXPECT_EQ(y[i], 0.0f);
  });
}

TEST(Swiglu, NanStaysInItsElement) {
  for_each_isa(1, [](const Context& context) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    auto gate = random_floats(3, 63), up = random_floats(4, 63);
    const auto clean = run(context, gate, up, 1);
    gate[5] = nan;
    up[62] = nan;
    const auto y = run(context, gate, up, 1);
    for (size_t i = 0; i < y.size(); ++i) {
      if (i == 5 || i == 62) {
        EXPECT_TRUE(std::isnan(y[i])) << i;
      } else {
        EXPECT_EQ(y[i], clean[i]);
      }
    }
  });
}

TEST(Swiglu, HonoursStridesAndWorksInPlace) {
  for_each_isa(1, [](const Context& context) {
    constexpr int64_t kWidth = 9, kStride = 20;  // gate and up side by side in one row
    auto both = random_floats(5, 3 * kStride);
    const auto before = both;
    swiglu(context, {.gate = both.data(),
                     .up = both.data() + kWidth,
                     .y = both.data(),
                     .rows = 3,
                     .width = kWidth,
                     .stride = kStride,
                     .y_stride = kStride});
    for (int64_t r = 0; r < 3; ++r) {
      const auto row = before.begin() + r * kStride;
      const auto expected = run(context, {row, row + kWidth}, {row + kWidth, row + 2 * kWidth}, 1);
      for (int64_t i = 0; i < kStride; ++i) {
        const auto at = static_cast<size_t>(r * kStride + i);
        EXPECT_EQ(both[at], i < kWidth ? expected[static_cast<size_t>(i)] : before[at]);
      }
    }
  });
}

TEST(Swiglu, RowsTogetherEqualRowsAlone) {
  for_each_isa(2, [](const Context& context) {
    for (const int64_t width : {7, 126, 1536}) {
      const auto gate = random_floats(6, 17 * width), up = random_floats(7, 17 * width);
      const auto together = run(context, gate, up, 17);
      for (int64_t r = 0; r < 17; ++r) {
        const auto g = gate.begin() + r * width, u = up.begin() + r * width;
        const auto alone = run(context, {g, g + width}, {u, u + width}, 1);
        EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + r * width));
      }
    }
  });
}

TEST(Swiglu, ThreadsDoNotMatter) {
  const auto gate = random_floats(8, 31 * 896), up = random_floats(9, 31 * 896);
  testing::expect_threads_do_not_matter(
      [&](const Context& context) { return run(context, gate, up, 31); });
}

std::vector<float> run_backward(const Context& context, const std::vector<float>& gate,
                                const std::vector<float>& up, const std::vector<float>& dy,
                                int64_t rows) {
  const auto width = std::ssize(gate) / rows;
  std::vector<float> both(2 * gate.size());  // dgate and dup side by side in a row
  swiglu_backward(context, {.gate = gate.data(),
                            .up = up.data(),
                            .dy = dy.data(),
                            .dgate = both.data(),
                            .dup = both.data() + width,
                            .rows = rows,
                            .width = width,
                            .stride = width,
                            .dy_stride = width,
                            .out_stride = 2 * width});
  return both;
}

TEST(SwigluBackward, ReferenceIsTheGradient) {
  const int64_t width = 12;
  auto gate = convert<double>(random_floats(1, width)),
       up = convert<double>(random_floats(2, width));
  for (double& v : gate) v *= 3.0;
  const auto dy = convert<double>(random_floats(3, width));
  std::vector<double> dgate(gate.size()), dup(gate.size());
  swiglu_backward_row(gate.data(), up.data(), dy.data(), dgate.data(), dup.data(), width);
  const auto loss = [&](const std::vector<double>& g, const std::vector<double>& u) {
    std::vector<double> y(g.size());
    swiglu_row(g.data(), u.data(), y.data(), width);
    return testing::inner_product(y, dy);
  };
  EXPECT_LT(testing::gradient_error(
                dgate, [&](const auto& v) { return loss(v, up); }, gate),
            1e-9);
  EXPECT_LT(testing::gradient_error(
                dup, [&](const auto& v) { return loss(gate, v); }, up),
            1e-9);
}

TEST(SwigluBackward, FollowsTheReferenceInF64) {
  for_each_isa(2, [](const Context& context) {
    for (const int64_t width : {1, 3, 7, 9, 63, 126, 896}) {
      auto gate = random_floats(1, 3 * width);
      for (float& v : gate) v *= 8.0f;
      const auto up = random_floats(2, 3 * width), dy = random_floats(3, 3 * width);
      std::vector<double> dgate(gate.size()), dup(gate.size());
      swiglu_backward_row(convert<double>(gate).data(), convert<double>(up).data(),
                          convert<double>(dy).data(), dgate.data(), dup.data(), 3 * width);
      const auto both = run_backward(context, gate, up, dy, 3);
      for (int64_t i = 0; i < 3 * width; ++i) {
        const auto at = static_cast<size_t>(i / width * 2 * width + i % width);
        const auto from = static_cast<size_t>(i);
        // σ(1 + g(1 − σ)) has a zero: what it is a difference of bounds the error.
        const double size = std::abs(static_cast<double>(dy[from] * up[from]));
        EXPECT_NEAR(static_cast<double>(both[at]), dgate[from], 2e-6 * size);
        EXPECT_NEAR(static_cast<double>(both[at + static_cast<size_t>(width)]), dup[from],
                    5e-7 * std::abs(dup[from]));
      }
    }
  });
}

TEST(SwigluBackward, WorksInPlaceAndThreadsDoNotMatter) {
  const auto gate = random_floats(8, 31 * 896), up = random_floats(9, 31 * 896);
  const auto dy = random_floats(10, 31 * 896);
  testing::expect_threads_do_not_matter(
      [&](const Context& context) { return run_backward(context, gate, up, dy, 31); });
  for_each_isa(1, [&](const Context& context) {
    auto dgate = gate, dup = up;
    swiglu_backward(context, {.gate = dgate.data(),
                              .up = dup.data(),
                              .dy = dy.data(),
                              .dgate = dgate.data(),
                              .dup = dup.data(),
                              .rows = 1,
                              .width = 896,
                              .stride = 896,
                              .dy_stride = 896,
                              .out_stride = 896});
    const auto expected = run_backward(context, gate, up, dy, 31);
    EXPECT_TRUE(std::equal(expected.begin(), expected.begin() + 896, dgate.begin()));
    EXPECT_TRUE(std::equal(expected.begin() + 896, expected.begin() + 2 * 896, dup.begin()));
  });
}

}  // namespace
}  // namespace ponder
