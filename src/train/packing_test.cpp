#include "train/packing.hpp"

#include <gmock/gmock.h>

#include <numeric>

#include "base/rng.hpp"

namespace ponder {
namespace {

std::vector<int64_t> random_lengths(int64_t count, int64_t most) {
  Rng rng(1);
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < count; ++i)
    lengths.push_back(1 + static_cast<int64_t>(rng.next_below(static_cast<uint64_t>(most))));
  return lengths;
}

std::vector<std::vector<int64_t>> epoch_of(GroupOrder& order, int64_t epoch) {
  std::vector<std::vector<int64_t>> groups;
  for (int64_t i = 0; i < order.groups(); ++i) {
    const auto group = order.group(epoch * order.groups() + i);
    groups.emplace_back(group.begin(), group.end());
  }
  return groups;
}

TEST(Packing, EveryExampleComesOnceAnEpochAndGroupsAreFull) {
  const auto lengths = random_lengths(500, 90);
  GroupOrder order(lengths, {.group_tokens = 100, .seed = 3});
  for (const int64_t epoch : {0, 1, 7}) {
    std::vector<int64_t> seen;
    for (const auto& group : epoch_of(order, epoch)) {
      int64_t tokens = 0;
      for (const int64_t example : group) {
        tokens += lengths[static_cast<size_t>(example)];
        seen.push_back(example);
      }
      EXPECT_LE(tokens, 100);
    }
    std::sort(seen.begin(), seen.end());
    std::vector<int64_t> all(500);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(seen, all);
  }
  const int64_t tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  EXPECT_LE(order.groups(), (tokens + 99) / 100 * 11 / 10);  // best fit leaves little room
}

TEST(Packing, TheOrderIsAFunctionOfSeedAndEpoch) {
  const auto lengths = random_lengths(100, 40);
  GroupOrder a(lengths, {.group_tokens = 64, .seed = 1});
  GroupOrder b(lengths, {.group_tokens = 64, .seed = 1});
  GroupOrder other(lengths, {.group_tokens = 64, .seed = 2});
  const auto first = epoch_of(a, 0), second = epoch_of(a, 1);
  EXPECT_NE(first, second);
  EXPECT_EQ(epoch_of(b, 1), second);  // jumping into the middle
  EXPECT_EQ(epoch_of(b, 0), first);
  EXPECT_NE(epoch_of(other, 0), first);
}

TEST(Packing, WithoutShufflingLongestComeFirst) {
  GroupOrder order({3, 9, 5, 200, 1}, {.group_tokens = 10, .shuffle = false});
  ASSERT_EQ(order.groups(), 3);
  EXPECT_THAT(order.group(0), ::testing::ElementsAre(3));  // alone, longer than a group
  EXPECT_THAT(order.group(1), ::testing::ElementsAre(1, 4));
  EXPECT_THAT(order.group(2), ::testing::ElementsAre(2, 0));
}

}  // namespace
}  // namespace ponder
