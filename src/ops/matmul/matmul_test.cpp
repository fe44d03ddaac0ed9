// Every instruction set and format against the reference, and the promise that a result does not
// depend on what is computed beside it. T rows, K inputs, N outputs.
#include "ops/matmul/matmul.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include "ops/matmul/panel.hpp"
#include "ops/swiglu/swiglu.hpp"
#include "quant/codec.hpp"
#include "quant/formats.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::make_runtime;
using testing::random_floats;

std::vector<DType> formats() {
  std::vector<DType> list;
  for (int i = 0; i < kDTypeCount; ++i) {
    if (is_format(static_cast<DType>(i))) list.push_back(static_cast<DType>(i));
  }
  return list;
}

// A random matrix (N, K) in the bytes of a format.
struct Matrix {
  TensorView view;
  std::vector<std::byte> bytes;

  Matrix(DType dtype, int64_t rows, int64_t cols, uint64_t seed) {
    const auto stride = static_cast<int64_t>(*row_bytes(dtype, static_cast<uint64_t>(cols)));
    bytes.resize(static_cast<size_t>(rows * stride));
    const auto values = random_floats(seed, rows * cols);
    for (int64_t n = 0; n < rows; ++n)
      encode_row(dtype, values.data() + n * cols, cols, bytes.data() + n * stride);
    view = {.dtype = dtype, .shape = Shape::of({rows, cols}), .bytes = bytes};
  }
};

std::vector<float> product(const Runtime& on, const TensorView& matrix, const std::vector<float>& x,
                           const float* bias = nullptr, const float* block_scale = nullptr) {
  const Weight weight = Weight::pack(on.context(), matrix, block_scale);
  const int64_t rows = static_cast<int64_t>(x.size()) / weight.cols();
  std::vector<float> y(static_cast<size_t>(rows * weight.rows()), NAN);
  matmul(on.context(), x.data(), rows,
         {.weight = &weight, .y = y.data(), .y_stride = weight.rows(), .bias = bias});
  return y;
}

// What the int8 form of an instruction set sees of x (rows of `cols`): each 32 values rounded to
// multiples of their maximum / 127 (AVX2, AVX-512), or of that of 256 through a power of two
// (VNNI).
std::vector<float> rounded(Isa isa, const std::vector<float>& x, int64_t cols) {
  if (isa == Isa::kRef) return x;
  std::vector<float> out(x.size());
  const auto largest = [](const float* begin, const float* end) {
    float most = 0.0f;
    for (; begin < end; ++begin) most = std::max(most, std::fabs(*begin));
    return most;
  };
  for (size_t row = 0; row < x.size(); row += static_cast<size_t>(cols)) {
    for (int64_t k = 0; k < cols; k += kSubBlock) {
      const float* at = x.data() + row + k;
      float most = largest(at, at + kSubBlock);
      if (isa >= Isa::kAvx512Vnni) {
        const int64_t begin = k / kPanelCols * kPanelCols;
        const float* panel = x.data() + row + begin;
        float power = largest(panel, panel + std::min<int64_t>(kPanelCols, cols - begin));
        for (int j = 0; j < kMaxShift && power / 2.0f >= most; ++j) power /= 2.0f;
        most = power;
      }
      for (int64_t i = 0; i < kSubBlock && most > 1e-30f; ++i)
        out[row + static_cast<size_t>(k + i)] =
            std::nearbyint(at[i] * (127.0f / most)) * (most / 127.0f);
    }
  }
  return out;
}

// Largest |a − b|, relative to the size of a sum of K random products: √K.
double worst(const std::vector<float>& a, const std::vector<float>& b, int64_t cols) {
  double most = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double error =
        static_cast<double>(std::fabs(a[i] - b[i])) / std::sqrt(static_cast<double>(cols));
    if (std::isnan(error)) return error;
    most = std::max(most, error);
  }
  return most;
}

class MatmulOn : public ::testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(Isas, MatmulOn, ::testing::ValuesIn(available_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

TEST_P(MatmulOn, FloatFormAgreesWithReference) {
  const Runtime reference = make_runtime(Isa::kRef, 2, Activations::kFloat);
  const Runtime tested = make_runtime(GetParam(), 2, Activations::kFloat);
  for (const DType dtype : formats()) {
    for (const int64_t rows : {1, 9, 16, 40}) {
      const int64_t cols =
          3 * dtype_info(dtype).block_elements * (dtype_info(dtype).quantised ? 1 : 21);
      const Matrix matrix(dtype, rows, cols, 7);
      const auto bias = random_floats(8, rows);
      for (const int64_t count : {1, 3, 31}) {
        const auto x = random_floats(9, count * cols);
        // f32 rounding of a running sum of K terms; unit roundoff 6e-8.
        EXPECT_LT(worst(product(tested, matrix.view, x, bias.data()),
                        product(reference, matrix.view, x, bias.data()), cols),
                  4e-6)
            << dtype_name(dtype) << " N=" << rows << " K=" << cols << " T=" << count;
      }
    }
  }
}

TEST_P(MatmulOn, Int8FormIsExactForRoundedActivations) {
  const Runtime reference = make_runtime(Isa::kRef, 2, Activations::kFloat);
  const Runtime tested = make_runtime(GetParam(), 2, Activations::kInt8);
  for (const DType dtype : formats()) {
    if (!dtype_info(dtype).quantised) continue;
    const int64_t least = dtype_info(dtype).block_elements;
    for (const int64_t cols : {least, int64_t{256}, 1024 + least, 5 * least}) {
      const Matrix matrix(dtype, 85, cols, 3);
      for (const int64_t count : {1, 7, 16, 41}) {
        const auto x = random_floats(4, count * cols);
        EXPECT_LT(worst(product(tested, matrix.view, x),
                        product(reference, matrix.view, rounded(GetParam(), x, cols)), cols),
                  4e-6)
            << dtype_name(dtype) << " K=" << cols << " T=" << count;
      }
    }
  }
}

// Rows whose blocks of 32 are of very different sizes; the second 256 are zeros, the third tiny.
std::vector<float> uneven_floats(std::span<const float> sizes /* (8) */, int64_t rows,
                                 int64_t cols) {
  auto x = random_floats(14, rows * cols);
  for (size_t i = 0; i < x.size(); ++i) x[i] *= sizes[i / kSubBlock % kPanelSubs];
  for (size_t i = kPanelCols; i < 2 * kPanelCols; ++i) x[i] = 0.0f;
  for (size_t i = 2 * kPanelCols; i < 3 * kPanelCols; ++i) x[i] *= 1e-35f;
  return x;
}

// A sub-block is rounded as finely as its own values ask for, however large its neighbours are.
TEST_P(MatmulOn, Int8FormRoundsSubBlocksApart) {
  const Runtime reference = make_runtime(Isa::kRef, 2, Activations::kFloat);
  const Runtime tested = make_runtime(GetParam(), 2, Activations::kInt8);
  const int64_t cols = 4 * kPanelCols, count = 5;
  // Powers up to 2^3 are exact in the sums of integer bases too (kSumBits), larger ones are not.
  const auto near =
      uneven_floats(std::array{1.0f, 0.5f, 0.3f, 0.25f, 1.0f, 0.4f, 0.3f, 0.8f}, count, cols);
  const auto far =
      uneven_floats(std::array{1.0f, 0.1f, 1e-2f, 1e-3f, 1e-5f, 1e-9f, 0.0f, 3.0f}, count, cols);
  for (const DType dtype : formats()) {
    if (!dtype_info(dtype).quantised) continue;
    const Matrix matrix(dtype, 40, cols, 3);
    const auto error = [&](const std::vector<float>& x) {
      return worst(product(tested, matrix.view, x),
                   product(reference, matrix.view, rounded(GetParam(), x, cols)), cols);
    };
    EXPECT_LT(error(near), 4e-6) << dtype_name(dtype);
    EXPECT_LT(error(far), 4e-3) << dtype_name(dtype);  // 2^-4 of a step, 9 / 127
  }
}

// Every bit pattern of the quants, with scales that stay finite: no sum of integers may overflow.
TEST_P(MatmulOn, ExtremeBlocksAgreeWithReference) {
  const Runtime reference = make_runtime(Isa::kRef, 2, Activations::kFloat);
  const Runtime tested = make_runtime(GetParam(), 2, Activations::kInt8);
  std::vector<float> x(3 * 512, 127.0f);  // columns of mixed, greatest and least activations
  for (size_t i = 0; i < 512; ++i) x[i] = i % 3 == 0 ? 127.0f : i % 3 == 1 ? -127.0f : 64.0f;
  for (size_t i = 1024; i < x.size(); ++i) x[i] = -127.0f;
  for (const DType dtype : formats()) {
    if (!dtype_info(dtype).quantised) continue;
    for (const int fill : {0x00, 0x7F, 0x80, 0xFF, 0x55, 0xAA}) {
      Matrix matrix(dtype, 17, 512, 5);
      visit_format(dtype, [&](auto format) {
        using Format = decltype(format);
        if constexpr (Format::kIsBlock) {
          IntBlock ints = {};
          constexpr int kTop = (1 << (Format::kLowBits + Format::kHighBits)) - 1;
          for (auto& q : ints.q) q = static_cast<uint8_t>(fill & kTop);
          ints.d = 0x3800;  // 0.5
          ints.dmin = Format::kHasMin ? 0x3400 : 0;
          for (auto& s : ints.scale) s = static_cast<int8_t>(Format::kScaleHigh);
          for (auto& m : ints.min)
            m = static_cast<uint8_t>(Format::kMinIsAdded ? 1
                                     : Format::kHasMin   ? Format::kScaleHigh
                                                         : 0);
          typename Format::Block block;
          Format::from_ints(ints, block);
          for (size_t at = 0; at < matrix.bytes.size(); at += sizeof(block))
            std::memcpy(matrix.bytes.data() + at, &block, sizeof(block));
        }
      });
      const auto a = product(tested, matrix.view, x), b = product(reference, matrix.view, x);
      for (size_t i = 0; i < a.size(); ++i)
        EXPECT_NEAR(a[i], b[i], 2e-5f * std::fabs(b[i]) + 1.0f) << dtype_name(dtype) << " " << fill;
    }
  }
}

TEST_P(MatmulOn, Fp8BlockScales) {
  const Runtime reference = make_runtime(Isa::kRef, 2, Activations::kFloat);
  const Runtime tested = make_runtime(GetParam(), 2, Activations::kInt8);
  const int64_t rows = 300, cols = 200;
  const Matrix matrix(DType::kF8E4M3, rows, cols, 1);
  const auto scale = random_floats(2, 3 * 2);
  const auto x = random_floats(3, 5 * cols);
  EXPECT_LT(worst(product(tested, matrix.view, x, nullptr, scale.data()),
                  product(reference, matrix.view, x, nullptr, scale.data()), cols),
            4e-6);
}

TEST_P(MatmulOn, RowsDoNotDependOnBatchOrThreads) {
  for (const Activations activations : {Activations::kInt8, Activations::kFloat}) {
    const Runtime one = make_runtime(GetParam(), 1, activations),
                  three = make_runtime(GetParam(), 3, activations);
    for (const DType dtype : formats()) {
      const int64_t cols = 512 + dtype_info(dtype).block_elements, rows = 53, count = 47;
      const Matrix matrix(dtype, rows, cols, 11);
      const auto x = random_floats(12, count * cols);
      const auto together = product(three, matrix.view, x);
      for (const int64_t t : {0, 15, 16, 31, 32, 40, 46}) {
        const std::vector<float> row(x.begin() + t * cols, x.begin() + (t + 1) * cols);
        const auto alone = product(one, matrix.view, row);
        EXPECT_EQ(
            std::memcmp(alone.data(), together.data() + t * rows, alone.size() * sizeof(float)), 0)
            << dtype_name(dtype) << " row " << t;
      }
    }
  }
}

TEST_P(MatmulOn, GroupedTargetsEqualSingleOnes) {
  const Runtime tested = make_runtime(GetParam(), 2, Activations::kInt8);
  const int64_t cols = 256, count = 5;
  const Matrix a(DType::kQ4_K, 33, cols, 1), b(DType::kF16, 20, cols, 2);
  const auto x = random_floats(3, count * cols);
  const Weight wa = Weight::pack(tested.context(), a.view),
               wb = Weight::pack(tested.context(), b.view);
  std::vector<float> ya(5 * 33), yb(5 * 20);
  const MatmulTarget targets[] = {{.weight = &wa, .y = ya.data(), .y_stride = 33},
                                  {.weight = &wb, .y = yb.data(), .y_stride = 20}};
  matmul(tested.context(), {.x = x.data(), .rows = count, .x_stride = cols, .targets = targets});
  EXPECT_EQ(ya, product(tested, a.view, x));
  EXPECT_EQ(yb, product(tested, b.view, x));
}

// Outputs in pieces of one group and of several, and a last group that is not full.
TEST_P(MatmulOn, GatedProductsEqualSingleOnes) {
  const int64_t rows = 13 * kGroupRows + 5, cols = 64;
  for (const DType dtype : {DType::kQ4_0, DType::kQ8_0, DType::kBF16}) {
    const Matrix gate(dtype, rows, cols, 1), up(DType::kQ5_0, rows, cols, 2);
    for (const int threads : {1, 3}) {
      const Runtime tested = make_runtime(GetParam(), threads, Activations::kInt8);
      const Weight g = Weight::pack(tested.context(), gate.view),
                   u = Weight::pack(tested.context(), up.view);
      for (const int64_t count : {1, 7, 300, 1100}) {
        const auto x = random_floats(3, count * cols);
        const auto gates = product(tested, gate.view, x), ups = product(tested, up.view, x);
        std::vector<float> expected(gates.size()), y(gates.size(), NAN);
        swiglu(tested.context(), {.gate = gates.data(),
                                  .up = ups.data(),
                                  .y = expected.data(),
                                  .rows = count,
                                  .width = rows,
                                  .stride = rows,
                                  .y_stride = rows});
        matmul_gated(tested.context(),
                     {.x = x.data(), .rows = count, .gate = &g, .up = &u, .y = y.data()});
        EXPECT_EQ(y, expected) << dtype_name(dtype) << ' ' << count;
      }
    }
  }
}

TEST_P(MatmulOn, StackedProductsTakeTheirOwnInput) {
  const Runtime tested = make_runtime(GetParam(), 2, Activations::kInt8);
  const int64_t stack = 3, rows = 18, cols = 64, count = 4;
  const Matrix all(DType::kQ8_0, stack * rows, cols, 1);
  TensorView view = all.view;
  view.shape = Shape::of({stack, rows, cols});
  const Weight weight = Weight::pack(tested.context(), view);
  const auto x = random_floats(2, count * stack * cols);
  std::vector<float> y(static_cast<size_t>(count * stack * rows));
  matmul_stacked(tested.context(), {.weight = &weight,
                                    .x = x.data(),
                                    .y = y.data(),
                                    .rows = count,
                                    .x_stride = stack * cols,
                                    .x_stack_stride = cols,
                                    .y_stride = stack * rows,
                                    .y_stack_stride = rows});
  for (int64_t s = 0; s < stack; ++s) {
    for (int64_t t = 0; t < count; ++t) {
      const auto begin = x.begin() + (t * stack + s) * cols;
      const auto full = product(tested, all.view, std::vector<float>(begin, begin + cols));
      for (int64_t n = 0; n < rows; ++n)
        EXPECT_EQ(y[static_cast<size_t>((t * stack + s) * rows + n)],
                  full[static_cast<size_t>(s * rows + n)]);
    }
  }
}

}  // namespace
}  // namespace ponder
