// The routed experts against a plain loop over experts, and independence of the batch.
// T tokens, H width, k experts a token, E experts, I expert width.
#include "ops/moe/moe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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

// Everything that moe_backward gives, weights in rows.
struct Gradients {
  std::vector<float> dx, dweights, dgate, dup, ddown;

  bool operator==(const Gradients&) const = default;
};

Gradients run_backward(const Context& context, const Case& c, const std::vector<float>& dy,
                       bool save) {
  const auto tokens = std::ssize(dy) / kWidth;
  const auto weight = [&](const Stack& from, int64_t rows, int64_t cols) {
    return Weight::from_floats(context, from.floats.data(), kExperts, rows, cols);
  };
  const Weight gate = weight(c.gate, kInner, kWidth), up = weight(c.up, kInner, kWidth);
  const Weight down = weight(c.down, kWidth, kInner);
  std::vector<float> y(dy.size()), saved(static_cast<size_t>(tokens * kChosen * 2 * kInner));
  const MoeArgs forward{.x = c.x.data(),
                        .experts = c.experts.data(),
                        .weights = c.weights.data(),
                        .gate = &gate,
                        .up = &up,
                        .down = &down,
                        .y = y.data(),
                        .saved = save ? saved.data() : nullptr,
                        .tokens = tokens,
                        .chosen = kChosen};
  moe(context, forward);
  EXPECT_EQ(y, c.run(context, 0, tokens));
  Gradients d{std::vector<float>(c.x.size()), std::vector<float>(c.weights.size()),
              std::vector<float>(c.gate.floats.size()), std::vector<float>(c.up.floats.size()),
              std::vector<float>(c.down.floats.size())};
  std::vector<float> flat_gate(gate.values().size()), flat_up(up.values().size()),
      flat_down(down.values().size());
  moe_backward(context, {.forward = &forward,
                         .dy = dy.data(),
                         .dx = d.dx.data(),
                         .dweights = d.dweights.data(),
                         .dgate = flat_gate.data(),
                         .dup = flat_up.data(),
                         .ddown = flat_down.data()});
  gate.values_to_rows(flat_gate, d.dgate.data());
  up.values_to_rows(flat_up, d.dup.data());
  down.values_to_rows(flat_down, d.ddown.data());
  return d;
}

// ⟨dy, y⟩ in f64 as a function of everything.
struct Loss {
  const Case& c;
  std::vector<double> x, weights, gate, up, down, dy;

  Loss(const Case& of, const std::vector<float>& gradient)
      : c(of),
        x(of.x.begin(), of.x.end()),
        weights(of.weights.begin(), of.weights.end()),
        gate(of.gate.floats.begin(), of.gate.floats.end()),
        up(of.up.floats.begin(), of.up.floats.end()),
        down(of.down.floats.begin(), of.down.floats.end()),
        dy(gradient.begin(), gradient.end()) {}

  double operator()() const {
    double loss = 0.0;
    for (size_t p = 0; p < weights.size(); ++p) {
      const double* xt = x.data() + static_cast<int64_t>(p) / kChosen * kWidth;
      const double* dyt = dy.data() + static_cast<int64_t>(p) / kChosen * kWidth;
      const int64_t e = c.experts[p];
      for (int64_t i = 0; i < kInner; ++i) {
        double g = 0, u = 0, out = 0;
        for (int64_t k = 0; k < kWidth; ++k) {
          const auto at = static_cast<size_t>((e * kInner + i) * kWidth + k);
          g += gate[at] * xt[k];
          u += up[at] * xt[k];
          out += down[static_cast<size_t>((e * kWidth + k) * kInner + i)] * dyt[k];
        }
        loss += weights[p] * g / (1 + std::exp(-g)) * u * out;
      }
    }
    return loss;
  }

  // The derivative by one of the numbers above.
  double slope(double& number) {
    const double before = number, step = 1e-3;
    const auto at = [&](double shift) {
      number = before + shift;
      return (*this)();
    };
    const double near = at(step) - at(-step), far = at(2 * step) - at(-2 * step);
    number = before;
    return (8 * near - far) / (12 * step);
  }
};

TEST_P(MoeOn, BackwardIsTheGradient) {
  const Runtime tested = testing::make_runtime(GetParam(), 2);
  const Case c(DType::kF32, 11);
  const auto dy = normals(11 * kWidth, 9);
  const Gradients d = run_backward(tested.context(), c, dy, false);
  Loss loss(c, dy);
  const auto check = [&](const std::vector<float>& actual, std::vector<double>& of,
                         const char* name) {
    ASSERT_EQ(actual.size(), of.size());
    double largest = 0.0;
    for (const float v : actual) largest = std::max(largest, std::fabs(static_cast<double>(v)));
    for (size_t i = 3; i < of.size(); i += of.size() / 17)
      EXPECT_NEAR(static_cast<double>(actual[i]), loss.slope(of[i]), 3e-6 * largest) << name << i;
  };
  check(d.dx, loss.x, "x");
  check(d.dweights, loss.weights, "weights");
  check(d.dgate, loss.gate, "gate");
  check(d.dup, loss.up, "up");
  check(d.ddown, loss.down, "down");
}

TEST_P(MoeOn, BackwardNeedsNeitherThreadsNorWhatWasSaved) {
  const Case c(DType::kF32, 150);
  const auto dy = normals(150 * kWidth, 9);
  const Runtime one = testing::make_runtime(GetParam(), 1),
                three = testing::make_runtime(GetParam(), 3);
  const Gradients expected = run_backward(one.context(), c, dy, false);
  EXPECT_EQ(run_backward(one.context(), c, dy, true), expected);
  EXPECT_EQ(run_backward(three.context(), c, dy, true), expected);
}

// A frozen base in another format: dx and dweights alone.
TEST_P(MoeOn, BackwardGoesThroughFrozenExperts) {
  const Runtime tested = testing::make_runtime(GetParam(), 2, Activations::kFloat);
  const Case c(DType::kQ8_0, 9);
  const auto dy = normals(9 * kWidth, 9);
  const Gradients expected = run_backward(tested.context(), c, dy, false);
  const Weight gate = Weight::pack(tested.context(), c.gate.view),
               up = Weight::pack(tested.context(), c.up.view),
               down = Weight::pack(tested.context(), c.down.view);
  const MoeArgs forward{.x = c.x.data(),
                        .experts = c.experts.data(),
                        .weights = c.weights.data(),
                        .gate = &gate,
                        .up = &up,
                        .down = &down,
                        .tokens = 9,
                        .chosen = kChosen};
  std::vector<float> dx(c.x.size()), dweights(c.weights.size());
  moe_backward(
      tested.context(),
      {.forward = &forward, .dy = dy.data(), .dx = dx.data(), .dweights = dweights.data()});
  EXPECT_LT(testing::max_relative_error(dx, expected.dx), 3e-6);
  EXPECT_LT(testing::max_relative_error(dweights, expected.dweights), 3e-6);
}

}  // namespace
}  // namespace ponder
