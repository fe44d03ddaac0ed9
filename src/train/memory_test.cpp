#include "train/memory.hpp"

#include <gmock/gmock.h>

namespace ponder {
namespace {

using ::testing::HasSubstr;

TEST(Memory, RefusesWhatCannotFitAndNamesTheMend) {
  MemoryTable table{.ranks = 2, .available = 10'000'000'000};
  table.rows = {{"weights", 2'000'000'000, "train a smaller model"},
                {"gradients", 2'500'000'000, "train with [lora]"}};
  EXPECT_TRUE(table.check().ok());
  table.rows.push_back({"activations", 600'000'000, "set a smaller data.group"});
  const auto refused = table.check();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("needs 10.20 GB"));
  EXPECT_THAT(refused.error().message(), HasSubstr("train with [lora]; or start fewer ranks"));
  EXPECT_THAT(table.text(), HasSubstr("weights"));
  table.available = 0;
  EXPECT_TRUE(table.check().ok());
}

TEST(Memory, KeepingAllLayersTakesMoreTheMoreThereAre) {
  Config config{};
  config.vocab = 100, config.hidden = 64, config.ffn_width = 128, config.layers = 2;
  config.attention.heads = 4, config.attention.kv_heads = 2, config.attention.head_dim = 16;
  const auto more = [&] {
    return activation_bytes(config, 512, false) - activation_bytes(config, 512, true);
  };
  const uint64_t of_two = more();
  EXPECT_GT(of_two, uint64_t{512} * 2 * (2 * 64 + 128) * sizeof(float));
  config.layers = 6;
  EXPECT_EQ(more(), 3 * of_two);
}

TEST(Memory, KnowsWhatThereIs) { EXPECT_GT(available_memory(), 1'000'000u); }

}  // namespace
}  // namespace ponder
