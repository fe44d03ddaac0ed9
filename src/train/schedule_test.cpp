#include "train/schedule.hpp"

#include <gtest/gtest.h>

#include "train/recipe.hpp"

namespace ponder {
namespace {

TEST(Schedule, ClimbsAndFalls) {
  Schedule s{
      .shape = ScheduleShape::kCosine, .rate = 1.0, .final_rate = 0.1, .warmup = 4, .steps = 105};
  EXPECT_DOUBLE_EQ(s.at(0), 0.25);
  EXPECT_DOUBLE_EQ(s.at(3), 1.0);
  EXPECT_DOUBLE_EQ(s.at(4), 1.0);
  EXPECT_NEAR(s.at(54), 0.55, 1e-12);
  EXPECT_DOUBLE_EQ(s.at(104), 0.1);
  EXPECT_DOUBLE_EQ(s.at(1000), 0.1);
  s.shape = ScheduleShape::kLinear;
  EXPECT_NEAR(s.at(29), 1.0 - 0.9 * 0.25, 1e-12);
  s.shape = ScheduleShape::kConstant;
  EXPECT_DOUBLE_EQ(s.at(104), 1.0);
}

TEST(Schedule, HasNoFallWithoutRoom) {
  const Schedule one{.rate = 1.0, .final_rate = 0.0, .warmup = 0, .steps = 1};
  EXPECT_DOUBLE_EQ(one.at(0), 1.0);
  const Schedule all_warm{.rate = 1.0, .final_rate = 0.0, .warmup = 10, .steps = 5};
  EXPECT_DOUBLE_EQ(all_warm.at(4), 0.5);
}

TEST(Schedule, IsReadFromARecipe) {
  const auto recipe =
      Recipe::parse("rate = 1e-3\nschedule = \"linear\"\nwarmup = 2\n", "r").take_value();
  const auto s = read_schedule(recipe, 10, ScheduleShape::kCosine).take_value();
  EXPECT_EQ(s.shape, ScheduleShape::kLinear);
  EXPECT_DOUBLE_EQ(s.final_rate, 1e-4);
  EXPECT_EQ(s.warmup, 2);
  EXPECT_FALSE(read_schedule(Recipe::parse("", "r").take_value(), 1, s.shape).ok());
}

}  // namespace
}  // namespace ponder
