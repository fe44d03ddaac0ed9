#include "cli/train_dashboard.hpp"

#include <gmock/gmock.h>

namespace ponder {
namespace {

using ::testing::HasSubstr;

DashboardState a_state() {
  return {.stage = "rl",
          .done = 25,
          .steps = 100,
          .seconds_left = 90,
          .tokens_per_second = 1234,
          .doing = "rollouts 3/8",
          .figures = {{"reward", 0.5}, {"kl", 1e-5}, {"tokens", 12345}},
          .curves = {{"reward", {0, 0.25, 0.5}}}};
}

TEST(Dashboard, ShowsProgressFiguresAndCurves) {
  const auto lines = dashboard_lines(a_state(), 100);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[0], HasSubstr("[#####...............] step 25 of 100"));
  EXPECT_THAT(lines[0], HasSubstr("1 min 30 s left"));
  EXPECT_THAT(lines[0], HasSubstr("rollouts 3/8"));
  EXPECT_THAT(lines[1], HasSubstr("reward 0.5"));
  EXPECT_THAT(lines[1], HasSubstr("kl 1.00e-05"));
  EXPECT_THAT(lines[1], HasSubstr("tokens 12345"));
  EXPECT_EQ(lines[2], "reward ▁▅█");
}

TEST(Dashboard, NoLineIsWiderThanTheTerminal) {
  DashboardState state = a_state();
  state.curves[0].second.assign(500, 1.0);
  for (const int width : {0, 20, 33, 80}) {
    for (const std::string& line : dashboard_lines(state, width)) {
      int characters = 0;
      for (const char c : line) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      EXPECT_LT(characters, std::max(width, 21));
    }
  }
}

TEST(Dashboard, CurvesLeaveGapsWhereThereIsNoNumber) {
  EXPECT_EQ(sparkline({1, NAN, 2}, 10), "▁ █");
  EXPECT_EQ(sparkline({1, 2, 3}, 2), "▁█");
  EXPECT_EQ(sparkline({}, 5), "");
}

}  // namespace
}  // namespace ponder
