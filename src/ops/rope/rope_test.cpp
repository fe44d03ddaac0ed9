#include "ops/rope/rope.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "ops/rope/rope_ref.hpp"
#include "testing/gradcheck.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::convert;
using testing::for_each_isa;
using testing::random_floats;

constexpr int32_t kPositions[] = {0, 1, 2, 17, 511, 4096, 32767, 131071, 163839};
constexpr int64_t kTokens = std::ssize(kPositions);

std::vector<float> frequencies(int64_t dims) {
  std::vector<float> result;
  for (int64_t j = 0; j < dims / 2; ++j)
    result.push_back(static_cast<float>(
        std::pow(1e4, -2.0 * static_cast<double>(j) / static_cast<double>(dims))));
  return result;
}

struct Case {
  int64_t heads = 1, dims = 2;
  bool interleaved = false;
  float amplitude = 1.0f;
};

// x: (tokens, heads, dims) contiguous, rotated.
std::vector<float> run(const Context& context, const Case& c, std::vector<float> x,
                       const int32_t* positions, int64_t tokens) {
  const auto inv_freq = frequencies(c.dims);
  rope(context, {.x = x.data(),
                 .positions = positions,
                 .inv_freq = inv_freq.data(),
                 .tokens = tokens,
                 .heads = c.heads,
                 .dims = c.dims,
                 .token_stride = c.heads * c.dims,
                 .head_stride = c.dims,
                 .amplitude = c.amplitude,
                 .interleaved = c.interleaved});
  return x;
}

std::vector<Case> cases() {
  std::vector<Case> result;
  for (const int64_t dims : {2, 6, 14, 16, 18, 64, 126, 128, 256}) {
    for (const bool interleaved : {false, true}) {
      result.push_back({.heads = 1, .dims = dims, .interleaved = interleaved});
      result.push_back({.heads = 3, .dims = dims, .interleaved = interleaved, .amplitude = 1.3f});
    }
  }
  return result;
}

TEST(Rope, FollowsTheReferenceInF64) {
  for_each_isa(2, [](const Context& context) {
    for (const Case& c : cases()) {
      const auto x = random_floats(1, kTokens * c.heads * c.dims);
      auto expected = convert<double>(x);
      const auto inv_freq = frequencies(c.dims);
      std::vector<double> cosines(inv_freq.size()), sines(inv_freq.size());
      for (int64_t t = 0; t < kTokens; ++t) {
        rope_angles<double>(kPositions[t], inv_freq.data(), c.dims / 2,
                            static_cast<double>(c.amplitude), cosines.data(), sines.data());
        for (int64_t h = 0; h < c.heads; ++h) {
          rope_head<double>(expected.data() + (t * c.heads + h) * c.dims, cosines.data(),
                            sines.data(), c.dims / 2, c.interleaved);
        }
      }
      EXPECT_LT(testing::max_relative_error(run(context, c, x, kPositions, kTokens), expected),
                3e-7)
          << c.dims << (c.interleaved ? " interleaved" : " halves");
    }
  });
}

// The definition itself, on two pairs: (1, 0) turns into (cos θ, sin θ), (0, 1) into (−sin θ, cos
// θ).
TEST(Rope, TurnsTheRightPairs) {
  for_each_isa(1, [](const Context& context) {
    const int32_t position = 3;
    const float c0 = std::cos(3.0f), s0 = std::sin(3.0f);  // f = 1, 1/100
    const float c1 = std::cos(0.03f), s1 = std::sin(0.03f);
    const std::vector<float> halves = {1, 0, 0, 1}, neighbours = {1, 0, 0, 1};
    const auto a = run(context, {.dims = 4, .interleaved = false}, halves, &position, 1);
    const auto b = run(context, {.dims = 4, .interleaved = true}, neighbours, &position, 1);
    const std::vector<float> expected_a = {c0, -s1, s0, c1}, expected_b = {c0, s0, -s1, c1};
    EXPECT_LT(testing::max_relative_error(a, expected_a), 1e-7);
    EXPECT_LT(testing::max_relative_error(b, expected_b), 1e-7);
  });
}

TEST(Rope, PositionZeroChangesNothing) {
  for_each_isa(1, [](const Context& context) {
    const int32_t position = 0;
    const auto x = random_floats(2, 128);
    for (const bool interleaved : {false, true})
      EXPECT_EQ(run(context, {.dims = 128, .interleaved = interleaved}, x, &position, 1), x);
  });
}

TEST(Rope, LeavesTheRestOfAHead) {
  for_each_isa(1, [](const Context& context) {
    constexpr int64_t kHead = 24, kDims = 14, kHeads = 2;  // the last 10 of a head stay
    const int32_t position = 11;
    const auto inv_freq = frequencies(kDims);
    for (const bool interleaved : {false, true}) {
      const auto before = random_floats(3, kHead * kHeads);
      auto x = before;
      rope(context, {.x = x.data(),
                     .positions = &position,
                     .inv_freq = inv_freq.data(),
                     .tokens = 1,
                     .heads = kHeads,
                     .dims = kDims,
                     .token_stride = kHead * kHeads,
                     .head_stride = kHead,
                     .interleaved = interleaved});
      for (int64_t i = 0; i < kHead * kHeads; ++i) {
        const auto at = static_cast<size_t>(i);
        if (i % kHead >= kDims) {
          EXPECT_EQ(x[at], before[at]) << i;
        } else {
          EXPECT_NE(x[at], before[at]) << i;
        }
      }
    }
  });
}

TEST(Rope, TokensTogetherEqualTokensAlone) {
  for_each_isa(2, [](const Context& context) {
    for (const Case& c : cases()) {
      const int64_t width = c.heads * c.dims;
      const auto x = random_floats(4, kTokens * width);
      const auto together = run(context, c, x, kPositions, kTokens);
      for (int64_t t = 0; t < kTokens; ++t) {
        const auto row = x.begin() + t * width;
        const auto alone = run(context, c, {row, row + width}, kPositions + t, 1);
        EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + t * width));
      }
    }
  });
}

TEST(Rope, ThreadsDoNotMatter) {
  for (const bool interleaved : {false, true}) {
    const Case c = {.heads = 12, .dims = 128, .interleaved = interleaved};
    const auto x = random_floats(5, kTokens * c.heads * c.dims);
    testing::expect_threads_do_not_matter(
        [&](const Context& context) { return run(context, c, x, kPositions, kTokens); });
  }
}

// ⟨R x, y⟩ = ⟨x, Rᵀ y⟩ for all x and y says that the backward rotation is the transposed one.
TEST(RopeBackward, IsTheTransposedRotation) {
  for_each_isa(2, [](const Context& context) {
    for (const Case& c : cases()) {
      const auto count = kTokens * c.heads * c.dims;
      const auto x = random_floats(1, count), y = random_floats(2, count);
      auto turned = y;
      const auto inv_freq = frequencies(c.dims);
      rope(context, {.x = turned.data(),
                     .positions = kPositions,
                     .inv_freq = inv_freq.data(),
                     .tokens = kTokens,
                     .heads = c.heads,
                     .dims = c.dims,
                     .token_stride = c.heads * c.dims,
                     .head_stride = c.dims,
                     .amplitude = c.amplitude,
                     .interleaved = c.interleaved,
                     .backward = true});
      const double forward = testing::inner_product(run(context, c, x, kPositions, kTokens), y);
      EXPECT_NEAR(testing::inner_product(x, turned), forward,
                  testing::dot_tolerance(count, testing::norm(x), testing::norm(y)));
    }
  });
}

}  // namespace
}  // namespace ponder
