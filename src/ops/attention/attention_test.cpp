#include "ops/attention/attention.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <ostream>
#include <utility>
#include <vector>

#include "ops/attention/attention_ref.hpp"
#include "ops/attention/kv_testing.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::for_each_isa;
using testing::KvMemory;
using testing::random_floats;

struct Shape {
  int64_t heads, key_heads, key_dim, value_dim;
  KvLayout layout = KvLayout::kBlocked;
  DType dtype = DType::kF16;
};

std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << s.heads << "/" << s.key_heads << " heads of " << s.key_dim << "/" << s.value_dim
             << (s.layout == KvLayout::kLatent ? " latent " : " blocked ") << dtype_name(s.dtype);
}

// A cache whose memory is all NaN until written.
struct Cache : KvMemory {
  Cache(const Shape& shape, int64_t capacity, int64_t page_positions = 32)
      : KvMemory({.page_positions = page_positions,
                  .dtype = shape.dtype,
                  .layout = shape.layout,
                  .heads = shape.key_heads,
                  .key_dim = shape.key_dim,
                  .value_dim = shape.value_dim},
                 capacity, std::byte{0xff}) {}
};

// Queries, keys and values of `positions` tokens.
struct Problem {
  Problem(const Shape& s, int64_t count, uint64_t seed = 1)
      : shape(s),
        positions(count),
        scale(1.0f / std::sqrt(static_cast<float>(s.key_dim))),
        q(random_floats(seed, count * s.heads * s.key_dim)),
        keys(random_floats(seed + 1, count * s.key_heads * s.key_dim)),
        values(random_floats(seed + 2, count * s.key_heads * s.value_dim)) {}

  void write(const Context& context, const Cache& cache, int64_t begin, int64_t end) const {
    const int64_t key_stride = shape.key_heads * shape.key_dim;
    const int64_t value_stride = shape.key_heads * shape.value_dim;
    kv_write(context, {.keys = keys.data() + begin * key_stride,
                       .values = values.data() + begin * value_stride,
                       .cache = cache.view,
                       .tokens = end - begin,
                       .key_stride = key_stride,
                       .value_stride = value_stride,
                       .position = begin});
  }

  AttentionArgs args(const Cache& cache, int64_t begin, int64_t end) const {
    const int64_t q_stride = shape.heads * shape.key_dim;
    return {.q = q.data() + begin * q_stride,
            .cache = cache.view,
            .tokens = end - begin,
            .heads = shape.heads,
            .q_stride = q_stride,
            .position = begin,
            .scale = scale};
  }

  // The outputs for positions [begin, positions), `step` tokens at a time; the positions before
  // are written at once.
  std::vector<float> run(const Context& context, const Cache& cache, int64_t begin,
                         int64_t step) const {
    write(context, cache, 0, begin);
    const int64_t width = shape.heads * shape.value_dim;
    std::vector<float> out(static_cast<size_t>((positions - begin) * width), NAN);
    for (int64_t t = begin; t < positions; t += step) {
      const int64_t end = std::min(positions, t + step);
      write(context, cache, t, end);
      AttentionArgs a = args(cache, t, end);
      a.out = out.data() + (t - begin) * width;
      attention(context, a);
    }
    return out;
  }

  std::vector<float> run(const Context& context, int64_t begin = 0, int64_t step = 1 << 20) const {
    return run(context, Cache(shape, (positions + 15) / 16 * 16), begin, step);
  }

  // The truth for positions [begin, positions) from a filled cache.
  std::vector<double> expected(const Cache& cache, int64_t begin) const {
    const AttentionArgs a = args(cache, begin, positions);
    std::vector<double> out(static_cast<size_t>(a.tokens * shape.heads * shape.value_dim));
    for (int64_t row = 0; row < a.tokens * shape.heads; ++row)
      attention_row<double>(a, row / shape.heads, row % shape.heads,
                            out.data() + row * shape.value_dim);
    return out;
  }

  Shape shape;
  int64_t positions;
  float scale;
  std::vector<float> q, keys, values;
};

const Shape kShapes[] = {
    {1, 1, 1, 1},
    {3, 1, 9, 24, KvLayout::kBlocked, DType::kF32},
    {6, 2, 24, 20},
    {3, 3, 63, 126},
    {7, 7, 126, 9, KvLayout::kBlocked, DType::kF32},
    {14, 2, 64, 64},
    {12, 2, 128, 128},
    {8, 1, 17, 33, KvLayout::kBlocked, DType::kBF16},
    {10, 2, 64, 144, KvLayout::kBlocked, DType::kBF16},
    {1, 1, 1, 1, KvLayout::kBlocked, DType::kQ8_0},
    {6, 2, 24, 20, KvLayout::kBlocked, DType::kQ8_0},
    {3, 3, 63, 126, KvLayout::kBlocked, DType::kQ8_0},
    {8, 2, 33, 49, KvLayout::kBlocked, DType::kQ8_0},
    {14, 2, 64, 64, KvLayout::kBlocked, DType::kQ8_0},
    {12, 2, 128, 144, KvLayout::kBlocked, DType::kQ8_0},
    {1, 1, 9, 1, KvLayout::kLatent, DType::kF32},
    {3, 1, 40, 24, KvLayout::kLatent},
    {7, 1, 63, 63, KvLayout::kLatent, DType::kF32},
    {20, 1, 24, 16, KvLayout::kLatent},
    {5, 1, 63, 40, KvLayout::kLatent, DType::kBF16},
    {3, 1, 40, 24, KvLayout::kLatent, DType::kQ8_0},
    {18, 1, 101, 81, KvLayout::kLatent, DType::kQ8_0},
};
const Shape kLiteShape = {16, 1, 576, 512, KvLayout::kLatent};  // DeepSeek-V2-Lite

// What an output may be off by: scores move the softmax by twice their own error; then the sums
// over `keys` terms of values up to `largest`.
double tolerance(const Shape& shape, int64_t keys, double largest) {
  const auto dim = static_cast<double>(shape.key_dim);
  const double norm = 2.0 * std::sqrt(dim) + 4.0;  // of a standard normal vector, at most
  const double score = testing::dot_tolerance(shape.key_dim, norm, norm) / std::sqrt(dim);
  return (2.0 * score + 8.0 * std::sqrt(static_cast<double>(keys)) * 0x1p-24 + 1e-6) * largest;
}

double largest_difference(const std::vector<float>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - b[i]);
    if (!(difference <= largest)) largest = difference;  // NaN stays
  }
  return largest;
}

void expect_truth(const Shape& shape, int64_t begin, int64_t tokens) {
  const Problem problem(shape, begin + tokens);
  const Cache filled(shape, (problem.positions + 15) / 16 * 16);
  problem.write(testing::make_runtime(Isa::kRef).context(), filled, 0, problem.positions);
  const auto expected = problem.expected(filled, begin);
  for_each_isa(2, [&](const Context& context) {
    EXPECT_LE(largest_difference(problem.run(context, begin, tokens), expected),
              tolerance(shape, problem.positions, 5.0))
        << shape << ", " << tokens << " tokens at " << begin;
  });
}

TEST(Attention, FollowsTheReferenceInF64) {
  for (const Shape& shape : kShapes) {
    for (const int64_t begin : {0, 1, 15, 16, 17, 511, 512, 513}) expect_truth(shape, begin, 1);
    for (const int64_t begin : {0, 13, 509, 1100}) expect_truth(shape, begin, 7);
  }
}

TEST(Attention, FollowsTheReferenceOnDeepSeekShapes) {
  for (const DType dtype : {DType::kF16, DType::kQ8_0}) {
    Shape shape = kLiteShape;
    shape.dtype = dtype;
    expect_truth(shape, 0, 3);
    expect_truth(shape, 511, 2);
  }
}

TEST(Attention, PromptChunksDoNotMatter) {
  for_each_isa(2, [](const Context& context) {
    for (const Shape& shape : kShapes) {
      const Problem problem(shape, 67);
      const auto expected = problem.run(context);
      for (const int64_t step : {1, 3, 17, 64})
        EXPECT_TRUE(problem.run(context, 0, step) == expected) << shape << " by " << step;
    }
  });
}

TEST(Attention, PromptChunksDoNotMatterAcrossKeyChunks) {
  for_each_isa(2, [](const Context& context) {
    for (const Shape& shape : {Shape{6, 2, 24, 20}, Shape{3, 1, 40, 24, KvLayout::kLatent},
                               Shape{6, 2, 24, 20, KvLayout::kBlocked, DType::kQ8_0},
                               Shape{3, 1, 40, 24, KvLayout::kLatent, DType::kQ8_0}}) {
      const Problem problem(shape, 1090);
      const auto expected = problem.run(context, 1000);
      for (const int64_t step : {1, 17, 64})
        EXPECT_TRUE(problem.run(context, 1000, step) == expected) << shape << " by " << step;
    }
  });
}

TEST(Attention, LongPromptsGoThroughInParts) {  // more partial results than are held at once
  const auto runtime = testing::make_runtime(available_isas().back(), 2);
  const Problem problem({32, 1, 8, 512}, 300);
  EXPECT_TRUE(problem.run(runtime.context()) == problem.run(runtime.context(), 0, 100));
}

TEST(Attention, ThreadsDoNotMatter) {
  for (const Shape& shape : kShapes) {
    const Problem problem(shape, 540);
    testing::expect_threads_do_not_matter(
        [&](const Context& context) { return problem.run(context, 500); });
    testing::expect_threads_do_not_matter(
        [&](const Context& context) { return problem.run(context, 539); });
  }
}

TEST(Attention, CapacityDoesNotMatter) {
  for_each_isa(2, [](const Context& context) {
    for (const Shape& shape : kShapes) {
      const Problem problem(shape, 512);
      const auto expected = problem.run(context, Cache(shape, 512), 490, 22);
      EXPECT_TRUE(problem.run(context, Cache(shape, 4096), 490, 22) == expected) << shape;
    }
  });
}

TEST(Attention, PagesDoNotMatter) {
  for_each_isa(2, [](const Context& context) {
    for (const Shape& shape : kShapes) {
      const Problem problem(shape, 300);
      const auto expected = problem.run(context, Cache(shape, 304, 304), 290, 7);
      for (const int64_t page : {16, 48, 64, 512})
        EXPECT_TRUE(problem.run(context, Cache(shape, 304, page), 290, 7) == expected) << shape;
    }
  });
}

TEST(Attention, OtherHeadsDoNotMatter) {
  for_each_isa(1, [](const Context& context) {
    for (const KvLayout layout : {KvLayout::kBlocked, KvLayout::kLatent}) {
      const Problem all({7, 1, 63, 24, layout}, 30);
      const auto expected = all.run(context);
      for (int64_t head = 0; head < 7; ++head) {
        Problem one({1, 1, 63, 24, layout}, 30);
        one.keys = all.keys;
        one.values = all.values;
        for (int64_t t = 0; t < 30; ++t)
          std::copy_n(all.q.data() + (t * 7 + head) * 63, 63, one.q.data() + t * 63);
        const auto out = one.run(context);
        for (int64_t t = 0; t < 30; ++t)
          EXPECT_TRUE(std::equal(out.data() + t * 24, out.data() + (t + 1) * 24,
                                 expected.data() + (t * 7 + head) * 24));
      }
    }
  });
}

TEST(Attention, LaterTokensDoNotMatter) {
  for_each_isa(2, [](const Context& context) {
    for (const Shape& shape : kShapes) {
      Problem problem(shape, 530);
      const auto expected = problem.run(context, 505);
      // Tokens from 520 on: keys of NaN, values of infinity.
      std::fill(problem.keys.begin() + 520 * shape.key_heads * shape.key_dim, problem.keys.end(),
                NAN);
      std::fill(problem.values.begin() + 520 * shape.key_heads * shape.value_dim,
                problem.values.end(), INFINITY);
      const auto out = problem.run(context, 505);
      const int64_t same = 15 * shape.heads * shape.value_dim;
      EXPECT_TRUE(std::equal(out.begin(), out.begin() + same, expected.begin())) << shape;
      EXPECT_TRUE(std::isnan(out[static_cast<size_t>(same)])) << shape;
    }
  });
}

TEST(Attention, TakesLargeScores) {  // whole numbers, so that scores up to ±10⁴ are exact
  for_each_isa(2, [](const Context& context) {
    for (const KvLayout layout : {KvLayout::kBlocked, KvLayout::kLatent}) {
      Problem problem({3, 1, 63, 24, layout}, 600);
      problem.scale = 1.0f;
      for (float& x : problem.q) x = std::round(x * 32.0f);
      for (float& x : problem.keys) x = std::round(x * 8.0f);
      const Cache cache(problem.shape, 608);
      const auto out = problem.run(context, cache, 590, 10);
      const double largest = layout == KvLayout::kLatent ? 40.0 : 5.0;  // value
      EXPECT_LE(largest_difference(out, problem.expected(cache, 590)), 2e-6 * largest);
    }
  });
}

TEST(Attention, EqualScoresGiveTheMean) {
  for_each_isa(1, [](const Context& context) {
    for (const float size : {0.0f, 100.0f}) {
      Problem problem({3, 1, 9, 5}, 700);
      std::fill(problem.keys.begin(), problem.keys.end(), size);
      for (size_t i = 0; i < problem.values.size(); ++i)
        problem.values[i] = static_cast<float>(i % 5) - 2.0f;
      const auto out = problem.run(context, 600);
      for (size_t i = 0; i < out.size(); ++i)
        ASSERT_NEAR(out[i], static_cast<float>(i % 5) - 2.0f, 1e-5);
    }
  });
}

TEST(Attention, NanInAQueryStaysInItsRow) {
  for_each_isa(1, [](const Context& context) {
    for (const Shape& shape : kShapes) {
      Problem problem(shape, 20);
      const auto expected = problem.run(context);
      const int64_t row = 9 * shape.heads + shape.heads / 2;
      problem.q[static_cast<size_t>(row * shape.key_dim)] = NAN;
      const auto out = problem.run(context);
      for (int64_t i = 0; i < std::ssize(out); ++i) {
        const auto at = static_cast<size_t>(i);
        if (i / shape.value_dim == row) {
          EXPECT_TRUE(std::isnan(out[at])) << shape;
        } else {
          EXPECT_EQ(out[at], expected[at]) << shape;
        }
      }
    }
  });
}

TEST(Attention, NoTokensDoNothing) {
  for_each_isa(1, [](const Context& context) {
    EXPECT_TRUE(Problem({3, 1, 9, 5}, 0).run(context, Cache({3, 1, 9, 5}, 16), 0, 1).empty());
    Problem({3, 1, 9, 5}, 0).write(context, Cache({3, 1, 9, 5}, 16), 0, 0);
  });
}

TEST(KvWrite, StoresEachElementInItsPlaceRoundedToNearest) {
  for_each_isa(2, [](const Context& context) {
    for (const Shape& shape : kShapes) {
      Problem problem(shape, 69);
      for (size_t i = 0; i < problem.keys.size(); ++i)  // from below the smallest f16 to infinity
        problem.keys[i] *= std::exp2(static_cast<float>(i % 45) - 27.0f);
      const Cache cache(shape, 80);
      problem.write(context, cache, 0, 13);
      problem.write(context, cache, 13, 69);
      const Cache expected(shape, 80);
      for (int64_t t = 0; t < 69; ++t) {
        for (int64_t h = 0; h < shape.key_heads; ++h) {
          const int64_t row = t * shape.key_heads + h;
          kv_store(expected.view, KvPart::kKeys, h, t, problem.keys.data() + row * shape.key_dim);
          if (shape.layout == KvLayout::kLatent) continue;
          kv_store(expected.view, KvPart::kValues, h, t,
                   problem.values.data() + row * shape.value_dim);
        }
      }
      EXPECT_TRUE(cache.memory == expected.memory) << shape;
    }
  });
}

TEST(KvView, BlockedKeysLieSixteenPositionsTogether) {
  const Cache cache({2, 2, 3, 5, KvLayout::kBlocked, DType::kF32}, 96, 48);
  EXPECT_EQ(kv_index(cache.view, KvPart::kKeys, 1, 17), 1 * 48 * 3 + 16 * 3 + 1);
  EXPECT_EQ(kv_index(cache.view, KvPart::kKeys, 1, 48 + 17), 1 * 48 * 3 + 16 * 3 + 1);
  EXPECT_EQ(kv_array(cache.view, KvPart::kKeys, 47), cache.memory[0].data());
  EXPECT_EQ(kv_array(cache.view, KvPart::kKeys, 48), cache.memory[1].data());
  EXPECT_EQ(kv_step(cache.view, KvPart::kKeys), 16);
  EXPECT_EQ(kv_index(cache.view, KvPart::kValues, 1, 17), (48 + 17) * 5);
  EXPECT_EQ(kv_step(cache.view, KvPart::kValues), 1);
}

TEST(KvView, BytesAreThoseOfTheElementsAndScales) {
  const auto bytes = [](DType dtype, KvLayout layout) {
    const Cache cache({2, layout == KvLayout::kLatent ? 1 : 2, 64, 40, layout, dtype}, 32);
    return std::pair(kv_key_bytes(cache.view), kv_value_bytes(cache.view));
  };
  using Pair = std::pair<int64_t, int64_t>;
  EXPECT_EQ(bytes(DType::kF32, KvLayout::kBlocked), Pair(64 * 64 * 4, 64 * 40 * 4));
  EXPECT_EQ(bytes(DType::kBF16, KvLayout::kBlocked), Pair(64 * 64 * 2, 64 * 40 * 2));
  EXPECT_EQ(bytes(DType::kQ8_0, KvLayout::kBlocked), Pair(64 * (64 + 4), 64 * (40 + 4)));
  EXPECT_EQ(bytes(DType::kQ8_0, KvLayout::kLatent), Pair(32 * (64 + 4), 0));
}

// What is read differs from what was written by the rounding of the type only.
TEST(KvView, ReadsWhatWasStored) {
  for (const Shape& shape : kShapes) {
    const Cache cache(shape, 48);
    const auto written = random_floats(1, 48 * shape.key_heads * shape.key_dim);
    for (int64_t row = 0; row < 48 * shape.key_heads; ++row)
      kv_store(cache.view, KvPart::kKeys, row % shape.key_heads, row / shape.key_heads,
               written.data() + row * shape.key_dim);
    std::vector<float> read(static_cast<size_t>(shape.key_dim));
    for (int64_t row = 0; row < 48 * shape.key_heads; ++row) {
      kv_read(cache.view, KvPart::kKeys, row % shape.key_heads, row / shape.key_heads, read.data());
      const float* x = written.data() + row * shape.key_dim;
      for (int64_t i = 0; i < shape.key_dim; ++i) {
        float size = std::abs(x[i]);
        if (shape.dtype == DType::kQ8_0) {  // half a step of the group
          for (int64_t j = i / kKvGroup * kKvGroup;
               j < std::min(shape.key_dim, (i / kKvGroup + 1) * kKvGroup); ++j)
            size = std::max(size, std::abs(x[j]));
        }
        const float part = shape.dtype == DType::kF32    ? 0.0f
                           : shape.dtype == DType::kF16  ? 0x1p-11f
                           : shape.dtype == DType::kBF16 ? 0x1p-8f
                                                         : 0.5f / 126.9f;
        ASSERT_LE(std::abs(read[static_cast<size_t>(i)] - x[i]), part * size + 0x1p-25f) << shape;
      }
    }
  }
}

TEST(KvView, BytesWithTheirScalesTakeEdgeCases) {
  const Cache cache({1, 1, 40, 1, KvLayout::kBlocked, DType::kQ8_0}, 16);
  const auto through = [&](std::vector<float> x) {
    kv_store(cache.view, KvPart::kKeys, 0, 5, x.data());
    kv_read(cache.view, KvPart::kKeys, 0, 5, x.data());
    return x;
  };
  std::vector<float> x(40, 0.0f);
  EXPECT_EQ(through(x), x);
  x[3] = 127.0f;  // scale 1: ties go to even
  x[4] = 2.5f;
  x[5] = -3.5f;
  x[35] = 0x1p-30f;  // no scale is so small: 0
  std::vector<float> y = through(x);
  EXPECT_EQ(y[3], 127.0f);
  EXPECT_EQ(y[4], 2.0f);
  EXPECT_EQ(y[5], -4.0f);
  EXPECT_EQ(y[35], 0.0f);
  for (const float odd : {INFINITY, -INFINITY, NAN, 1e30f}) {  // spoils its group, not the next
    x[7] = odd;
    y = through(x);
    for (size_t i = 0; i < 40; ++i) EXPECT_EQ(std::isnan(y[i]), i < 32);
  }
}

}  // namespace
}  // namespace ponder
