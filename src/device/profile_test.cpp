// The profile of ops: sums, nesting, and nothing without one.
#include "device/profile.hpp"

#include <gtest/gtest.h>

namespace ponder {
namespace {

Cost bytes(int64_t count) { return {.memory_bytes = count}; }

TEST(Profile, SumsCallsOfOneName) {
  Profile profile;
  Context context{.profile = &profile};
  for (int64_t i = 1; i <= 3; ++i)
    const ProfileScope scope(context, "a", [&] { return Cost{i, 10 * i, 100 * i, 1000 * i}; });
  {
    const ProfileScope scope(context, "b", [] { return bytes(7); });
  }
  ASSERT_EQ(profile.ops().size(), 2u);
  EXPECT_EQ(profile.ops()[0].name, "a");
  EXPECT_EQ(profile.ops()[0].calls, 3);
  EXPECT_EQ(profile.ops()[0].cost.bytes(), 66);
  EXPECT_EQ(profile.ops()[0].cost.products(), 6600);
  EXPECT_GE(profile.ops()[0].seconds, 0.0);
  EXPECT_EQ(profile.cost().memory_bytes, 13);
}

TEST(Profile, AnOpInsideAnotherIsPartOfIt) {
  Profile profile;
  Context context{.profile = &profile};
  {
    const ProfileScope outer(context, "outer", [] { return bytes(1); });
    const ProfileScope inner(context, "inner", []() -> Cost {
      ADD_FAILURE() << "computed for nothing";
      return {};
    });
  }
  {
    const ProfileScope after(context, "inner", [] { return bytes(2); });
  }
  ASSERT_EQ(profile.ops().size(), 2u);
  EXPECT_EQ(profile.ops()[0].name, "outer");
  EXPECT_EQ(profile.ops()[1].calls, 1);
  EXPECT_EQ(profile.cost().memory_bytes, 3);
}

TEST(Profile, WithoutOneTheCostIsNotComputed) {
  const ProfileScope scope(Context{}, "a", []() -> Cost {
    ADD_FAILURE() << "computed for nothing";
    return {};
  });
}

}  // namespace
}  // namespace ponder
