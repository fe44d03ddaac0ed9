#include "cli/sampling_flags.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ponder {
namespace {

using ::testing::HasSubstr;

TEST(SamplingFlags, DefaultsDependOnWhetherTheModelReasons) {
  const SamplingOptions reasons = choose_sampling({.seed = 7}, true);
  EXPECT_EQ(describe_sampling(reasons), "temperature 0.6, top-p 0.95, seed 7");
  const SamplingOptions other = choose_sampling({.seed = 7}, false);
  EXPECT_EQ(describe_sampling(other), "temperature 0.7, top-k 20, top-p 0.8, seed 7");
}

TEST(SamplingFlags, WhatIsSetWins) {
  SamplingFlags flags;
  for (const std::string& name : sampling_names())
    ASSERT_TRUE(set_sampling(flags, name, "1").ok()) << name;
  const SamplingOptions options = choose_sampling(flags, true);
  EXPECT_EQ(options.temperature, 1);
  EXPECT_EQ(options.top_k, 1);
  EXPECT_EQ(options.top_p, 1);
  EXPECT_EQ(options.min_p, 1);
  EXPECT_EQ(options.presence_penalty, 1);
  EXPECT_EQ(options.frequency_penalty, 1);
  EXPECT_EQ(options.seed, 1u);
}

TEST(SamplingFlags, ErrorsNameTheSettingAndKeepTheOldValue) {
  SamplingFlags flags;
  ASSERT_TRUE(set_sampling(flags, "top-k", "5").ok());
  const auto changed = set_sampling(flags, "top-k", "2.5");
  ASSERT_FALSE(changed.ok());
  EXPECT_THAT(changed.error().message(), HasSubstr("top-k"));
  EXPECT_EQ(flags.top_k, 5);
  EXPECT_FALSE(set_sampling(flags, "top-q", "1").ok());
  for (const std::string& name : sampling_names())
    EXPECT_FALSE(set_sampling(flags, name, "-1000").ok()) << name;
}

TEST(SamplingFlags, WithoutASeedEveryRunIsDifferent) {
  EXPECT_NE(choose_sampling({}, true).seed, choose_sampling({}, true).seed);
}

TEST(SamplingFlags, GreedyIsCalledSo) {
  EXPECT_EQ(describe_sampling(choose_sampling({.temperature = 0, .seed = 1}, true)),
            "greedy, seed 1");
}

}  // namespace
}  // namespace ponder
