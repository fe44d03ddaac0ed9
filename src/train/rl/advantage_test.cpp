#include "train/rl/advantage.hpp"

#include <gtest/gtest.h>

namespace ponder {
namespace {

using Rewards = std::vector<std::optional<double>>;

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-6) << i;
}

// Mean 0.25, deviation √(3/16) = 0.433013.
TEST(Advantage, OfOneRightAnswerInFour) {
  const Rewards rewards = {0.0, 1.0, 0.0, 0.0};
  expect_near(group_advantages(rewards, Baseline::kGroup),
              {-0.577350, 1.732051, -0.577350, -0.577350});
  expect_near(group_advantages(rewards, Baseline::kGroupMean), {-0.25, 0.75, -0.25, -0.25});
  expect_near(group_advantages(rewards, Baseline::kLeaveOneOut),
              {-1.0 / 3, 1.0, -1.0 / 3, -1.0 / 3});
  expect_near(group_advantages(rewards, Baseline::kBatch), {0.0, 1.0, 0.0, 0.0});
}

TEST(Advantage, EqualsTeachNothing) {
  for (const auto baseline : {Baseline::kGroup, Baseline::kGroupMean, Baseline::kLeaveOneOut}) {
    expect_near(group_advantages(Rewards{1.1, 1.1, 1.1}, baseline), {0.0, 0.0, 0.0});
    expect_near(group_advantages(Rewards{0.7}, baseline), {0.0});
    expect_near(group_advantages(Rewards{}, baseline), {});
  }
  EXPECT_FALSE(differs(Rewards{0.1, 0.1, 0.1}));
  EXPECT_FALSE(differs(Rewards{}));
  EXPECT_TRUE(differs(Rewards{0.1, 0.1, 0.2}));
}

TEST(Advantage, WhatCouldNotBeJudgedCountsForNobody) {
  const Rewards rewards = {1.0, std::nullopt, 0.0};
  expect_near(group_advantages(rewards, Baseline::kGroup), {1.0, 0.0, -1.0});
  expect_near(group_advantages(rewards, Baseline::kLeaveOneOut), {1.0, 0.0, -1.0});
  EXPECT_TRUE(differs(rewards));
  EXPECT_FALSE(differs(Rewards{1.0, std::nullopt, 1.0}));
}

TEST(Advantage, KlIsTakenFromWhatComesAfter) {
  expect_near(returns_with_kl(1.0, std::vector<double>{0.1, 0.2, 0.3}, 0.5), {0.7, 0.75, 0.85});
  EXPECT_TRUE(returns_with_kl(1.0, {}, 0.5).empty());
}

TEST(Advantage, NormalisedOverAllTokens) {
  std::vector<std::vector<double>> advantages = {{1.0, 1.0, 1.0}, {-1.0}};
  normalise(advantages);  // mean 0.5, deviation √0.75
  expect_near(advantages[0], {0.577350, 0.577350, 0.577350});
  expect_near(advantages[1], {-1.732051});
  std::vector<std::vector<double>> equal = {{2.0}, {2.0}, {}};
  normalise(equal);
  expect_near(equal[0], {0.0});
}

TEST(Advantage, LengthCostsInTheBuffer) {
  EXPECT_EQ(overlong_penalty(80, 100, 20), 0.0);
  EXPECT_EQ(overlong_penalty(90, 100, 20), -0.5);
  EXPECT_EQ(overlong_penalty(100, 100, 20), -1.0);
  EXPECT_EQ(overlong_penalty(150, 100, 20), -1.0);
  EXPECT_EQ(overlong_penalty(100, 100, 0), 0.0);
  EXPECT_EQ(overlong_penalty(101, 100, 0), -1.0);
}

TEST(Advantage, Names) {
  EXPECT_EQ(baseline_by_name("leave_one_out").value(), Baseline::kLeaveOneOut);
  EXPECT_FALSE(baseline_by_name("critic").ok());
}

}  // namespace
}  // namespace ponder
