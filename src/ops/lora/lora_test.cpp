#include "ops/lora/lora.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "testing/gradcheck.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::convert;
using testing::random_floats;

constexpr int64_t kRows = 21, kInputs = 30, kOutputs = 41, kRank = 5;
constexpr float kScale = 1.5f;

struct Case {
  std::vector<float> x = random_floats(1, kRows*kInputs), a = random_floats(2, kRank*kInputs);
  std::vector<float> b = random_floats(3, kOutputs*kRank), y = random_floats(4, kRows*kOutputs);
  std::vector<float> dy = random_floats(5, kRows* kOutputs);

  std::vector<float> forward(const Context& context, int64_t first, int64_t count,
                             float* hidden = nullptr) const {
    const Weight wa = Weight::from_floats(context, a.data(), 1, kRank, kInputs);
    const Weight wb = Weight::from_floats(context, b.data(), 1, kOutputs, kRank);
    std::vector<float> out(y.begin() + first * kOutputs, y.begin() + (first + count) * kOutputs);
    lora(context, {.x = x.data() + first * kInputs,
                   .a = &wa,
                   .b = &wb,
                   .scale = kScale,
                   .y = out.data(),
                   .hidden = hidden,
                   .rows = count,
                   .x_stride = kInputs,
                   .y_stride = kOutputs});
    return out;
  }
};

// ⟨dy, y + s·(x·Aᵀ)·Bᵀ⟩ in f64, and that sum itself.
std::vector<double> forward64(const Case& c, const std::vector<double>& x,
                              const std::vector<double>& a, const std::vector<double>& b) {
  auto y = convert<double>(c.y);
  for (int64_t t = 0; t < kRows; ++t) {
    for (int64_t r = 0; r < kRank; ++r) {
      double h = 0.0;
      for (int64_t k = 0; k < kInputs; ++k)
        h += x[static_cast<size_t>(t * kInputs + k)] * a[static_cast<size_t>(r * kInputs + k)];
      for (int64_t n = 0; n < kOutputs; ++n)
        y[static_cast<size_t>(t * kOutputs + n)] +=
            static_cast<double>(kScale) * h * b[static_cast<size_t>(n * kRank + r)];
    }
  }
  return y;
}

struct Gradients {
  std::vector<float> dx, da, db;

  bool operator==(const Gradients&) const = default;
};

Gradients backward(const Context& context, const Case& c) {
  const Weight wa = Weight::from_floats(context, c.a.data(), 1, kRank, kInputs);
  const Weight wb = Weight::from_floats(context, c.b.data(), 1, kOutputs, kRank);
  std::vector<float> hidden(kRows * kRank);
  c.forward(context, 0, kRows, hidden.data());
  std::vector<float> flat_a(wa.values().size()), flat_b(wb.values().size());
  Gradients d{std::vector<float>(c.x.size()), std::vector<float>(c.a.size()),
              std::vector<float>(c.b.size())};
  lora_backward(context, {.x = c.x.data(),
                          .hidden = hidden.data(),
                          .dy = c.dy.data(),
                          .a = &wa,
                          .b = &wb,
                          .scale = kScale,
                          .dx = d.dx.data(),
                          .da = flat_a.data(),
                          .db = flat_b.data(),
                          .rows = kRows,
                          .x_stride = kInputs,
                          .dy_stride = kOutputs,
                          .dx_stride = kInputs});
  wa.values_to_rows(flat_a, d.da.data());
  wb.values_to_rows(flat_b, d.db.data());
  return d;
}

TEST(Lora, AddsTheLowRankProduct) {
  const Case c;
  const auto expected =
      forward64(c, convert<double>(c.x), convert<double>(c.a), convert<double>(c.b));
  testing::for_each_isa(2, [&](const Context& context) {
    EXPECT_LT(testing::max_relative_error(c.forward(context, 0, kRows), expected), 1e-6);
  });
}

TEST(Lora, RowsDoNotDependOnTheBatch) {
  const Case c;
  testing::for_each_isa(2, [&](const Context& context) {
    const auto together = c.forward(context, 0, kRows);
    for (int64_t t = 0; t < kRows; ++t) {
      const auto alone = c.forward(context, t, 1);
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + t * kOutputs));
    }
  });
}

TEST(Lora, BackwardIsTheGradient) {
  const Case c;
  const auto x = convert<double>(c.x), a = convert<double>(c.a), b = convert<double>(c.b);
  const auto loss = [&](const auto& at, const auto& of_a, const auto& of_b) {
    return testing::inner_product(forward64(c, at, of_a, of_b), c.dy);
  };
  const auto dx = testing::finite_differences([&](const auto& v) { return loss(v, a, b); }, x);
  const auto da = testing::finite_differences([&](const auto& v) { return loss(x, v, b); }, a);
  const auto db = testing::finite_differences([&](const auto& v) { return loss(x, a, v); }, b);
  testing::for_each_isa(2, [&](const Context& context) {
    const Gradients d = backward(context, c);
    EXPECT_LT(testing::max_relative_error(d.dx, dx), 2e-6);
    EXPECT_LT(testing::max_relative_error(d.da, da), 2e-6);
    EXPECT_LT(testing::max_relative_error(d.db, db), 2e-6);
  });
}

TEST(Lora, ThreadsDoNotMatter) {
  const Case c;
  testing::expect_threads_do_not_matter(
      [&](const Context& context) { return backward(context, c); });
}

}  // namespace
}  // namespace ponder
