#include "ops/add/add.hpp"

#include <gtest/gtest.h>

#include "ops/add/add_ref.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::for_each_isa;
using testing::random_floats;

std::vector<float> run(const Context& context, const std::vector<float>& a,
                       const std::vector<float>& b) {
  std::vector<float> y(a.size());
  add(context, {.a = a.data(), .b = b.data(), .y = y.data(), .count = std::ssize(a)});
  return y;
}

TEST(Add, EqualsTheReferenceBitForBit) {
  for_each_isa(2, [](const Context& context) {
    for (const int64_t count : {0, 1, 3, 7, 9, 63, 126, 896, 1536, 100001}) {
      const auto a = random_floats(1, count), b = random_floats(2, count);
      std::vector<float> expected(a.size());
      add_elements<float>(a.data(), b.data(), expected.data(), count);
      EXPECT_EQ(run(context, a, b), expected) << count;
    }
  });
}

TEST(Add, WorksInPlaceAndNotBeyond) {
  for_each_isa(1, [](const Context& context) {
    auto a = random_floats(3, 64);
    const auto before = a;
    const auto b = random_floats(4, 63);
    add(context, {.a = a.data(), .b = b.data(), .y = a.data(), .count = 63});
    for (size_t i = 0; i < 63; ++i) EXPECT_EQ(a[i], before[i] + b[i]);
    EXPECT_EQ(a[63], before[63]);
  });
}

TEST(Add, ThreadsDoNotMatter) {
  const auto a = random_floats(5, 50001), b = random_floats(6, 50001);
  testing::expect_threads_do_not_matter([&](const Context& context) { return run(context, a, b); });
}

}  // namespace
}  // namespace ponder
