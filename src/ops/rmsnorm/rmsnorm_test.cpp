#include "ops/rmsnorm/rmsnorm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ops/rmsnorm/rmsnorm_ref.hpp"
#include "testing/gradcheck.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::convert;
using testing::for_each_isa;
using testing::max_relative_error;
using testing::random_floats;

constexpr float kEpsilon = 1e-6f;
constexpr int64_t kWidths[] = {1, 3, 7, 9, 63, 126, 896, 1536};

// x: (rows, width) contiguous; g: (width).
std::vector<float> run(const Context& context, const std::vector<float>& x,
                       const std::vector<float>& g, int64_t rows) {
  const auto width = static_cast<int64_t>(g.size());
  std::vector<float> y(x.size());
  rmsnorm(context, {.x = x.data(),
                    .g = g.data(),
                    .y = y.data(),
                    .rows = rows,
                    .width = width,
                    .x_stride = width,
                    .y_stride = width,
                    .epsilon = kEpsilon});
  return y;
}

TEST(Rmsnorm, FollowsTheReferenceInF64) {
  for_each_isa(2, [](const Context& context) {
    for (const int64_t width : kWidths) {
      for (const float scale : {1.0f, 1e-4f, 1e4f}) {
        auto x = random_floats(1, 5 * width);
        for (float& v : x) v *= scale;
        const auto g = random_floats(2, width);
        std::vector<double> expected(x.size());
        const auto x64 = convert<double>(x), g64 = convert<double>(g);
        for (int64_t r = 0; r < 5; ++r) {
          rmsnorm_row<double>(x64.data() + r * width, g64.data(), expected.data() + r * width,
                              width, static_cast<double>(kEpsilon));
        }
        EXPECT_LT(max_relative_error(run(context, x, g, 5), expected), 2e-6)
            << width << " × " << scale;
      }
    }
  });
}

TEST(Rmsnorm, HonoursStridesAndWorksInPlace) {
  for_each_isa(1, [](const Context& context) {
    constexpr int64_t kWidth = 63, kStride = 70;
    auto x = random_floats(3, 4 * kStride);
    const auto before = x;
    const auto g = random_floats(4, kWidth);
    rmsnorm(context, {.x = x.data(),
                      .g = g.data(),
                      .y = x.data(),
                      .rows = 4,
                      .width = kWidth,
                      .x_stride = kStride,
                      .y_stride = kStride,
                      .epsilon = kEpsilon});
    for (int64_t r = 0; r < 4; ++r) {
      const auto row = before.begin() + r * kStride;
      const auto expected = run(context, {row, row + kWidth}, g, 1);
      for (int64_t i = 0; i < kStride; ++i) {
        const auto at = static_cast<size_t>(r * kStride + i);
        EXPECT_EQ(x[at], i < kWidth ? expected[static_cast<size_t>(i)] : before[at]);
      }
    }
  });
}

TEST(Rmsnorm, RowsTogetherEqualRowsAlone) {
  for_each_isa(2, [](const Context& context) {
    for (const int64_t width : kWidths) {
      const auto x = random_floats(5, 33 * width), g = random_floats(6, width);
      const auto together = run(context, x, g, 33);
      for (int64_t r = 0; r < 33; ++r) {
        const auto row = x.begin() + r * width;
        const auto alone = run(context, {row, row + width}, g, 1);
        EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + r * width));
      }
    }
  });
}

TEST(Rmsnorm, ThreadsDoNotMatter) {
  const auto x = random_floats(7, 65 * 1536), g = random_floats(8, 1536);
  testing::expect_threads_do_not_matter(
      [&](const Context& context) { return run(context, x, g, 65); });
}

TEST(Rmsnorm, NanStaysInItsRow) {
  for_each_isa(1, [](const Context& context) {
    constexpr int64_t kWidth = 126;
    auto x = random_floats(9, 3 * kWidth);
    const auto g = random_floats(10, kWidth);
    const auto clean = run(context, x, g, 3);
    x[kWidth + 77] = std::numeric_limits<float>::quiet_NaN();
    const auto y = run(context, x, g, 3);
    for (size_t i = 0; i < y.size(); ++i) {
      if (i / kWidth == 1) {
        EXPECT_TRUE(std::isnan(y[i]));
      } else {
        EXPECT_EQ(y[i], clean[i]);
      }
    }
  });
}

TEST(Rmsnorm, ZeroRowGivesZeros) {
  for_each_isa(1, [](const Context& context) {
    const std::vector<float> x(9, 0.0f);
    EXPECT_EQ(run(context, x, random_floats(11, 9), 1), x);
  });
}

// x, dy: (rows, width); dx and dg start with the numbers of `start`.
struct Gradients {
  std::vector<float> dx, dg;

  bool operator==(const Gradients&) const = default;
};
Gradients run_backward(const Context& context, const std::vector<float>& x,
                       const std::vector<float>& g, const std::vector<float>& dy, bool accumulate) {
  const auto width = std::ssize(g), rows = std::ssize(x) / width;
  Gradients d{random_floats(21, rows * width), random_floats(22, width)};
  rmsnorm_backward(context, {.x = x.data(),
                             .g = g.data(),
                             .dy = dy.data(),
                             .dx = d.dx.data(),
                             .dg = d.dg.data(),
                             .rows = rows,
                             .width = width,
                             .x_stride = width,
                             .dy_stride = width,
                             .dx_stride = width,
                             .epsilon = kEpsilon,
                             .accumulate = accumulate});
  return d;
}

TEST(RmsnormBackward, ReferenceIsTheGradient) {
  const int64_t width = 9;
  const auto x = convert<double>(random_floats(1, width)),
             g = convert<double>(random_floats(2, width));
  const auto dy = convert<double>(random_floats(3, width));
  const double epsilon = 0.1;
  std::vector<double> dx(x.size());
  const double scale = rmsnorm_scale(x.data(), width, epsilon);
  rmsnorm_backward_row(x.data(), g.data(), dy.data(), dx.data(), width, scale, false);
  const auto loss = [&](const std::vector<double>& at) {
    std::vector<double> y(at.size());
    rmsnorm_row(at.data(), g.data(), y.data(), width, epsilon);
    return testing::inner_product(y, dy);
  };
  EXPECT_LT(testing::gradient_error(dx, loss, x), 1e-9);
}

TEST(RmsnormBackward, FollowsTheReferenceInF64) {
  for_each_isa(2, [](const Context& context) {
    for (const int64_t width : kWidths) {
      for (const bool accumulate : {false, true}) {
        constexpr int64_t kRows = 133;
        const auto x = random_floats(1, kRows * width), g = random_floats(2, width);
        const auto dy = random_floats(3, kRows * width);
        const auto x64 = convert<double>(x), g64 = convert<double>(g), dy64 = convert<double>(dy);
        auto dx = convert<double>(random_floats(21, kRows * width));
        auto dg = convert<double>(random_floats(22, width));
        for (int64_t r = 0; r < kRows; ++r) {
          const double* row = x64.data() + r * width;
          const double scale = rmsnorm_scale(row, width, static_cast<double>(kEpsilon));
          rmsnorm_backward_row(row, g64.data(), dy64.data() + r * width, dx.data() + r * width,
                               width, scale, accumulate);
          for (int64_t i = 0; i < width; ++i)
            dg[static_cast<size_t>(i)] += dy64[static_cast<size_t>(r * width + i)] * row[i] * scale;
        }
        const auto d = run_backward(context, x, g, dy, accumulate);
        if (width > 1) {  // of one element dx is all cancelled
          EXPECT_LT(max_relative_error(d.dx, dx), 3e-6) << width;
        }
        EXPECT_LT(max_relative_error(d.dg, dg), 3e-6) << width;
      }
    }
  });
}

TEST(RmsnormBackward, DxMayTakeThePlaceOfDy) {
  for_each_isa(1, [](const Context& context) {
    const int64_t width = 63, rows = 5;
    const auto x = random_floats(1, rows * width), g = random_floats(2, width);
    auto dy = random_floats(3, rows * width);
    const auto expected = run_backward(context, x, g, dy, false);
    std::vector<float> dg = random_floats(22, width);
    rmsnorm_backward(context, {.x = x.data(),
                               .g = g.data(),
                               .dy = dy.data(),
                               .dx = dy.data(),
                               .dg = dg.data(),
                               .rows = rows,
                               .width = width,
                               .x_stride = width,
                               .dy_stride = width,
                               .dx_stride = width,
                               .epsilon = kEpsilon});
    EXPECT_EQ(dy, expected.dx);
    EXPECT_EQ(dg, expected.dg);
  });
}

TEST(RmsnormBackward, ThreadsDoNotMatter) {
  const auto x = random_floats(7, 301 * 700), g = random_floats(8, 700);
  const auto dy = random_floats(9, 301 * 700);
  testing::expect_threads_do_not_matter(
      [&](const Context& context) { return run_backward(context, x, g, dy, true); });
}

}  // namespace
}  // namespace ponder
