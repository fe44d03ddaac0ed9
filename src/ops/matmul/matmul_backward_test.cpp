// Gradients of products against plain sums in f64, and the promise that they depend neither on
// threads nor on the rows beside. T rows, K inputs, N outputs, S matrices of a stack.
#include "ops/matmul/matmul_backward.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "ops/matmul/matmul.hpp"
#include "quant/codec.hpp"
#include "quant/formats.hpp"
#include "testing/gradcheck.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::make_runtime;
using testing::random_floats;

struct Size {
  int64_t stack, rows, outputs, inputs;  // S, T, N, K
};

constexpr Size kSizes[] = {{1, 1, 1, 1},     {1, 3, 9, 7},     {1, 130, 63, 126},
                           {1, 31, 17, 300}, {1, 257, 48, 16}, {1, 500, 200, 90},
                           {3, 40, 33, 20},  {1, 9, 530, 270}};

// A product with all its gradients; rows have room beside them.
struct Case {
  Size size;
  std::vector<float> w, x, dy, dx, dw, dbias;
  int64_t x_stride, dy_stride;

  explicit Case(const Size& of) : size(of) {
    x_stride = size.stack * size.inputs + 5;
    dy_stride = size.stack * size.outputs + 3;
    w = random_floats(1, size.stack * size.outputs * size.inputs);
    x = random_floats(2, size.rows * x_stride);
    dy = random_floats(3, size.rows * dy_stride);
    dx = random_floats(4, size.rows * x_stride);
    dw = random_floats(5, std::ssize(w));
    dbias = random_floats(6, size.outputs);
  }

  // dw in rows, added to what was there, like all.
  void run(const Context& context, bool accumulate) {
    const Weight weight =
        Weight::from_floats(context, w.data(), size.stack, size.outputs, size.inputs);
    std::vector<float> flat(weight.values().size());
    weight.rows_to_values(dw.data(), flat);
    matmul_backward(context,
                    {.weight = &weight,
                     .x = {.data = x.data(), .stride = x_stride, .stack_stride = size.inputs},
                     .dy = {.data = dy.data(), .stride = dy_stride, .stack_stride = size.outputs},
                     .dx = {.data = dx.data(), .stride = x_stride, .stack_stride = size.inputs},
                     .dw = flat.data(),
                     .dbias = size.stack == 1 ? dbias.data() : nullptr,
                     .rows = size.rows,
                     .accumulate = accumulate});
    weight.values_to_rows(flat, dw.data());
    double kept = 0.0, all = 0.0;  // what pads the layout stays zero
    for (const float v : flat) all += std::fabs(static_cast<double>(v));
    for (const float v : dw) kept += std::fabs(static_cast<double>(v));
    EXPECT_NEAR(kept, all, 1e-9 * all);
  }

  double w_at(int64_t s, int64_t n, int64_t k) const {
    return w[static_cast<size_t>((s * size.outputs + n) * size.inputs + k)];
  }
  double x_at(int64_t t, int64_t s, int64_t k) const {
    return x[static_cast<size_t>(t * x_stride + s * size.inputs + k)];
  }
  double dy_at(int64_t t, int64_t s, int64_t n) const {
    return dy[static_cast<size_t>(t * dy_stride + s * size.outputs + n)];
  }

  std::vector<double> expected_dx(bool accumulate) const {
    std::vector<double> sums(dx.begin(), dx.end());
    for (int64_t t = 0; t < size.rows; ++t) {
      for (int64_t s = 0; s < size.stack; ++s) {
        for (int64_t k = 0; k < size.inputs; ++k) {
          double& sum = sums[static_cast<size_t>(t * x_stride + s * size.inputs + k)];
          if (!accumulate) sum = 0.0;
          for (int64_t n = 0; n < size.outputs; ++n) sum += dy_at(t, s, n) * w_at(s, n, k);
        }
      }
    }
    return sums;
  }

  std::vector<double> expected_dw() const {
    std::vector<double> sums(dw.begin(), dw.end());
    size_t at = 0;
    for (int64_t s = 0; s < size.stack; ++s) {
      for (int64_t n = 0; n < size.outputs; ++n) {
        for (int64_t k = 0; k < size.inputs; ++k, ++at)
          for (int64_t t = 0; t < size.rows; ++t) sums[at] += dy_at(t, s, n) * x_at(t, s, k);
      }
    }
    return sums;
  }

  std::vector<double> expected_dbias() const {
    std::vector<double> sums(dbias.begin(), dbias.end());
    for (int64_t n = 0; n < size.outputs; ++n) {
      for (int64_t t = 0; t < size.rows; ++t) sums[static_cast<size_t>(n)] += dy_at(t, 0, n);
    }
    return sums;
  }
};

// What a running f32 sum of products of normal numbers may be off by: after j terms it is about √j,
// which is rounded to 2⁻²⁴ of that; ten standard deviations, and as much for the first few.
double tolerance(int64_t terms) { return 2.5e-7 * static_cast<double>(terms) + 5e-6; }

void expect_near(const std::vector<float>& actual, const std::vector<double>& expected,
                 double bound) {
  ASSERT_EQ(actual.size(), expected.size());
  double worst = 0.0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double error = std::fabs(static_cast<double>(actual[i]) - expected[i]);
    ASSERT_FALSE(std::isnan(error)) << "at " << i;
    worst = std::max(worst, error);
  }
  EXPECT_LT(worst, bound);
}

class MatmulBackwardOn : public ::testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(Isas, MatmulBackwardOn, ::testing::ValuesIn(available_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

TEST_P(MatmulBackwardOn, FollowsPlainSums) {
  for (const int threads : {1, 3}) {
    const Runtime runtime = make_runtime(GetParam(), threads);
    for (const Size& size : kSizes) {
      SCOPED_TRACE(::testing::Message() << "S=" << size.stack << " T=" << size.rows
                                        << " N=" << size.outputs << " K=" << size.inputs);
      for (const bool accumulate : {false, true}) {
        Case c(size);
        const auto dx = c.expected_dx(accumulate), dw = c.expected_dw();
        const auto dbias = c.expected_dbias();
        c.run(runtime.context(), accumulate);
        expect_near(c.dx, dx, tolerance(size.outputs));
        expect_near(c.dw, dw, tolerance(size.rows));
        if (size.stack == 1) expect_near(c.dbias, dbias, tolerance(size.rows));
      }
    }
  }
}

TEST_P(MatmulBackwardOn, ThreadsDoNotMatter) {
  for (const Size& size : kSizes) {
    Case one(size), three(size);
    one.run(make_runtime(GetParam(), 1).context(), true);
    three.run(make_runtime(GetParam(), 3).context(), true);
    EXPECT_EQ(one.dx, three.dx);
    EXPECT_EQ(one.dw, three.dw);
    EXPECT_EQ(one.dbias, three.dbias);
  }
}

TEST_P(MatmulBackwardOn, ARowOfDxDoesNotDependOnTheOthers) {
  const Runtime runtime = make_runtime(GetParam(), 2);
  const int64_t rows = 41, outputs = 300, inputs = 70;
  const auto w = random_floats(1, outputs * inputs), dy = random_floats(2, rows * outputs);
  const Weight weight = Weight::from_floats(runtime.context(), w.data(), 1, outputs, inputs);
  const auto run = [&](int64_t first, int64_t count) {
    std::vector<float> dx(static_cast<size_t>(count * inputs), NAN);
    matmul_backward(runtime.context(),
                    {.weight = &weight,
                     .dy = {.data = dy.data() + first * outputs, .stride = outputs},
                     .dx = {.data = dx.data(), .stride = inputs},
                     .rows = count});
    return dx;
  };
  const auto together = run(0, rows);
  for (int64_t t = 0; t < rows; ++t) {
    const auto alone = run(t, 1);
    EXPECT_EQ(std::memcmp(alone.data(), together.data() + t * inputs, alone.size() * sizeof(float)),
              0)
        << t;
  }
}

// Two calls with whole chunks give the bits of one call: chunks are added one after the other.
TEST_P(MatmulBackwardOn, ChunksOfRowsAddUp) {
  if (GetParam() == Isa::kRef) return;  // sums a whole call in f64
  const Runtime runtime = make_runtime(GetParam(), 2);
  const int64_t rows = 300, outputs = 40, inputs = 50;
  const auto w = random_floats(1, outputs * inputs), dy = random_floats(2, rows * outputs);
  const auto x = random_floats(3, rows * inputs);
  const Weight weight = Weight::from_floats(runtime.context(), w.data(), 1, outputs, inputs);
  const auto add = [&](int64_t first, int64_t last, std::vector<float>& dw) {
    matmul_backward(runtime.context(),
                    {.weight = &weight,
                     .x = {.data = x.data() + first * inputs, .stride = inputs},
                     .dy = {.data = dy.data() + first * outputs, .stride = outputs},
                     .dw = dw.data(),
                     .rows = last - first});
  };
  std::vector<float> once(weight.values().size()), twice(once.size());
  add(0, rows, once);
  add(0, 128, twice);
  add(128, rows, twice);
  EXPECT_EQ(once, twice);
}

TEST_P(MatmulBackwardOn, DxGoesThroughEveryFormat) {
  const Runtime runtime = make_runtime(GetParam(), 2);
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (!is_format(dtype)) continue;
    const bool quantised = dtype_info(dtype).quantised;
    const int64_t inputs = quantised ? 2 * dtype_info(dtype).block_elements + 256 : 281;
    for (const int64_t outputs : {5, 300}) {
      const auto stride = static_cast<int64_t>(*row_bytes(dtype, static_cast<uint64_t>(inputs)));
      std::vector<std::byte> bytes(static_cast<size_t>(outputs * stride));
      const auto values = random_floats(7, outputs * inputs);
      std::vector<float> decoded(values.size());
      const bool scaled = dtype == DType::kF8E4M3;
      const auto scales = random_floats(8, (outputs + 127) / 128 * ((inputs + 127) / 128));
      for (int64_t n = 0; n < outputs; ++n) {
        encode_row(dtype, values.data() + n * inputs, inputs, bytes.data() + n * stride);
        float* row = decoded.data() + n * inputs;
        decode_row(dtype, bytes.data() + n * stride, inputs, row);
        for (int64_t k = 0; scaled && k < inputs; ++k)
          row[k] *= scales[static_cast<size_t>(n / 128 * ((inputs + 127) / 128) + k / 128)];
      }
      const Weight weight =
          Weight::pack(runtime.context(),
                       {.dtype = dtype, .shape = Shape::of({outputs, inputs}), .bytes = bytes},
                       scaled ? scales.data() : nullptr);
      Case c({1, 37, outputs, inputs});
      c.w = decoded;
      const auto expected = c.expected_dx(false);
      matmul_backward(runtime.context(), {.weight = &weight,
                                          .dy = {.data = c.dy.data(), .stride = c.dy_stride},
                                          .dx = {.data = c.dx.data(), .stride = c.x_stride},
                                          .rows = 37});
      SCOPED_TRACE(dtype_name(dtype));
      expect_near(c.dx, expected, 3 * tolerance(outputs));
    }
  }
}

TEST_P(MatmulBackwardOn, IsTheGradientOfMatmul) {
  const Runtime runtime = make_runtime(GetParam(), 1);
  Case c({1, 4, 5, 6});
  const auto product = [&](const std::vector<double>& w, const std::vector<double>& x) {
    double loss = 0.0;
    for (int64_t t = 0; t < 4; ++t) {
      for (int64_t n = 0; n < 5; ++n) {
        for (int64_t k = 0; k < 6; ++k)
          loss += c.dy_at(t, 0, n) * w[static_cast<size_t>(n * 6 + k)] *
                  x[static_cast<size_t>(t * c.x_stride + k)];
      }
    }
    return loss;
  };
  const auto w = testing::convert<double>(c.w), x = testing::convert<double>(c.x);
  std::fill(c.dx.begin(), c.dx.end(), 0.0f);
  std::fill(c.dw.begin(), c.dw.end(), 0.0f);
  c.run(runtime.context(), false);
  EXPECT_LT(testing::gradient_error(
                c.dw, [&](const auto& v) { return product(v, x); }, w),
            1e-6);
  EXPECT_LT(testing::gradient_error(
                c.dx, [&](const auto& v) { return product(w, v); }, x),
            1e-6);
}

TEST_P(MatmulBackwardOn, ValuesAreChangedInPlace) {
  const Runtime runtime = make_runtime(GetParam(), 1);
  const auto before = random_floats(1, 2 * 19 * 7), after = random_floats(2, 2 * 19 * 7);
  Weight weight = Weight::from_floats(runtime.context(), before.data(), 2, 19, 7);
  std::vector<float> rows(before.size());
  weight.values_to_rows(weight.values(), rows.data());
  EXPECT_EQ(rows, before);
  weight.rows_to_values(after.data(), weight.values());
  const Weight expected = Weight::from_floats(runtime.context(), after.data(), 2, 19, 7);
  const auto x = random_floats(3, 2 * 7);
  const auto run = [&](const Weight& w) {
    std::vector<float> y(2 * 19);
    matmul_stacked(runtime.context(), {.weight = &w,
                                       .x = x.data(),
                                       .y = y.data(),
                                       .rows = 1,
                                       .x_stack_stride = 7,
                                       .y_stack_stride = 19});
    return y;
  };
  EXPECT_EQ(run(weight), run(expected));
}

// Forward products of f32 take another way from eight rows on, with the same bits.
TEST_P(MatmulBackwardOn, ManyRowsForwardEqualOneRow) {
  for (const auto& [outputs, inputs] :
       {std::pair<int64_t, int64_t>{1, 3}, {63, 129}, {200, 260}, {16, 16}, {85, 7}}) {
    const auto w = random_floats(1, outputs * inputs), bias = random_floats(2, outputs);
    const int64_t rows = 533;
    const auto x = random_floats(3, rows * inputs);
    const Runtime three = make_runtime(GetParam(), 3), one = make_runtime(GetParam(), 1);
    const Weight packed = Weight::from_floats(three.context(), w.data(), 1, outputs, inputs);
    const auto run = [&](const Runtime& on, int64_t first, int64_t count) {
      std::vector<float> y(static_cast<size_t>(count * outputs), NAN);
      matmul(on.context(), x.data() + first * inputs, count,
             {.weight = &packed, .y = y.data(), .y_stride = outputs, .bias = bias.data()});
      return y;
    };
    const auto together = run(three, 0, rows);
    for (const int64_t count : {1, 7, 8, 9, 23}) {
      const auto few = run(one, 100, count);
      EXPECT_EQ(
          std::memcmp(few.data(), together.data() + 100 * outputs, few.size() * sizeof(float)), 0)
          << outputs << " " << inputs << " " << count;
    }
  }
}

}  // namespace
}  // namespace ponder
