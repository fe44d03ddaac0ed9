// The routed experts against a plain loop over experts, and independence of the batch.
// T tokens, H width, k experts a token, E experts, I expert width.
#include "ops/moe/moe.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/rng.hpp"
#include "quant/codec.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

constexpr int64_t kExperts = 7, kWidth = 64, kInner = 96;
constexpr int kChosen = 3;

std::vector<float> normals(int64_t count, uint64_t seed) {
  auto values = testing::random_floats(seed, count);
  for (auto& value : values) value *= 0.3f;
  return values;
}

struct Stack {
  std::vector<std::byte> bytes;
  TensorView view;
  std::vector<float> floats;  // decoded

  Stack(DType dtype, int64_t rows, int64_t cols, uint64_t seed) {
    const auto values = normals(kExperts * rows * cols, seed);
    const auto stride = static_cast<int64_t>(*row_bytes(dtype, static_cast<uint64_t>(cols)));
    bytes.resize(static_cast<size_t>(kExperts * rows * stride));
    floats.resize(values.size());
    for (int64_t r = 0; r < kExperts * rows; ++r) {
      encode_row(dtype, values.data() + r * cols, cols, bytes.data() + r * stride);
      decode_row(dtype, bytes.data() + r * stride, cols, floats.data() + r * cols);
    }
    view = {.dtype = dtype, .shape = Shape::of({kExperts, rows, cols}), .bytes = bytes};
  }
};

struct Case {
  Stack gate, up, down;
  std::vector<float> x, weights;
  std::vector<int32_t> experts;

  Case(DType dtype, int64_t tokens)
      : gate(dtype, kInner, kWidth, 1),
        up(dtype, kInner, kWidth, 2),
        down(dtype, kWidth, kInner, 3) {
    x = normals(tokens * kWidth, 4);
    weights = normals(tokens * kChosen, 5);
    Rng rng(6);
    for (int64_t t = 0; t < tokens; ++t) {
      const auto first = static_cast<int32_t>(rng.next_below(kExperts - 2));
      for (const int32_t e : {first, first + 1, static_cast<int32_t>(kExperts - 1)})
        experts.push_back(e);
    }
  }

  // Tokens [begin, end) through the op.
  std::vector<float> run(const Context& context, int64_t begin, int64_t end) const {
    const Weight g = Weight::pack(context, gate.view), u = Weight::pack(context, up.view),
                 d = Weight::pack(context, down.view);
    std::vector<float> y(static_cast<size_t>((end - begin) * kWidth), NAN);
    moe(context, {.x = x.data() + begin * kWidth,
                  .experts = experts.data() + begin * kChosen,
                  .weights = weights.data() + begin * kChosen,
                  .gate = &g,
                  .up = &u,
                  .down = &d,
                  .y = y.data(),
                  .tokens = end - begin,
                  .chosen = kChosen});
    return y;
  }

  std::vector<float> expected(int64_t tokens) const {
    std::vector<float> y(static_cast<size_t>(tokens * kWidth));
    for (int64_t t = 0; t < tokens; ++t) {
      for (int i = 0; i < kChosen; ++i) {
        const int64_t e = experts[static_cast<size_t>(t * kChosen + i)];
        std::vector<double> hidden(kInner);
        for (int64_t n = 0; n < kInner; ++n) {
          double g = 0, u = 0;
          for (int64_t k = 0; k < kWidth; ++k) {
            const auto at = static_cast<size_t>((e * kInner + n) * kWidth + k);
            const double v = x[static_cast<size_t>(t * kWidth + k)];
            g += gate.floats[at] * v;
            u += up.floats[at] * v;
          }
          hidden[static_cast<size_t>(n)] = g / (1 + std::exp(-g)) * u;
        }
        for (int64_t h = 0; h < kWidth; ++h) {
          double sum = 0;
          for (int64_t n = 0; n < kInner; ++n)
            sum += down.floats[static_cast<size_t>((e * kWidth + h) * kInner + n)] *
                   hidden[static_cast<size_t>(n)];
          y[static_cast<size_t>(t * kWidth + h)] +=
              static_cast<float>(weights[static_cast<size_t>(t * kChosen + i)] * sum);
        }
      }
    }
    return y;
  }
};

class MoeOn : public ::testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(Isas, MoeOn, ::testing::ValuesIn(available_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

TEST_P(MoeOn, AgreesWithALoopOverExperts) {
  const Runtime tested = testing::make_runtime(GetParam(), 2, Activations::kFloat);
  for (const DType dtype : {DType::kF32, DType::kQ8_0, DType::kBF16}) {
    for (const int64_t tokens : {1, 2, 29}) {
      const Case c(dtype, tokens);
      const auto y = c.run(tested.context(), 0, tokens), expected = c.expected(tokens);
      for (size_t i = 0; i < y.size(); ++i)
        EXPECT_NEAR(y[i], expected[i], 3e-5) << dtype_name(dtype);
    }
  }
}

TEST_P(MoeOn, TokensDoNotDependOnTheBatchOrThreads) {
  const Runtime one = testing::make_runtime(GetParam(), 1, Activations::kInt8);
  const Runtime three = testing::make_runtime(GetParam(), 3, Activations::kInt8);
  const Case c(DType::kQ4_0, 40);
  const auto together = c.run(three.context(), 0, 40);
  for (int64_t t = 0; t < 40; t += 3) {
    const auto alone = c.run(one.context(), t, t + 1);
    EXPECT_EQ(std::memcmp(alone.data(), together.data() + t * kWidth, sizeof(float) * kWidth), 0);
  }
}

}  // namespace
}  // namespace ponder
