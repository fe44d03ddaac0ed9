#include "cli/format_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(FormatText, DurationsReadLikeAClock) {
  EXPECT_EQ(format_duration(-1), "0.0 s");
  EXPECT_EQ(format_duration(0.04), "0.0 s");
  EXPECT_EQ(format_duration(3.24), "3.2 s");
  EXPECT_EQ(format_duration(9.96), "10 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(59.6), "1 min 00 s");
  EXPECT_EQ(format_duration(125), "2 min 05 s");
  EXPECT_EQ(format_duration(3599.4), "59 min 59 s");
  EXPECT_EQ(format_duration(3720), "1 h 02 min");
  EXPECT_FALSE(format_duration(1e300).empty());
  EXPECT_EQ(format_duration(std::nan("")), "0.0 s");
}

TEST(FormatText, SizesHaveAPrefixAndFewFigures) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.0 kB");
  EXPECT_EQ(format_bytes(491.4e6), "491 MB");
  EXPECT_EQ(format_bytes(2.84e9), "2.8 GB");
  EXPECT_EQ(format_bytes(2.84e15), "2840 TB");
  EXPECT_EQ(format_count(512), "512");
  EXPECT_EQ(format_count(671e9), "671 B");
  EXPECT_EQ(format_rate(0.1234), "0.12");
  EXPECT_EQ(format_rate(38.14), "38.1");
  EXPECT_EQ(format_rate(212.4), "212");
}

TEST(FormatText, ProgressShowsShareRateAndTimeLeft) {
  const ProgressReport half{
      .what = "loading", .done = 500'000'000, .total = 1'000'000'000, .unit = "B"};
  EXPECT_EQ(progress_text(half, 100e6, 100),
            "loading [##########..........] 50%  500 MB of 1.0 GB  100 MB/s  5.0 s left");
  EXPECT_EQ(progress_text(half, 0, 100), "loading [##########..........] 50%  500 MB of 1.0 GB");
  EXPECT_EQ(progress_text(half, 100e6, 10), "loading [");
  const ProgressReport all{.what = "loading", .done = 7, .total = 7, .unit = "tokens"};
  EXPECT_EQ(progress_text(all, 3.5, 100),
            "loading [####################] 100%  7 tokens of 7 tokens  3.50 tokens/s");
  const ProgressReport unknown{.what = "reading", .done = 7, .total = 0, .unit = "B"};
  EXPECT_EQ(progress_text(unknown, 1, 100), "reading  7 B  1 B/s");
}

TEST(FormatText, ProgressNeverExceedsItsTotalNorSplitsACharacter) {
  const ProgressReport over{.what = "\u00e9\u00e9\u00e9", .done = 9, .total = 3, .unit = "B"};
  EXPECT_THAT(progress_text(over, 1, 100), HasSubstr("[####################] 100%"));
  EXPECT_EQ(progress_text(over, 1, 4), "\u00e9");
  EXPECT_EQ(progress_text(over, 1, 0), "");
}

TEST(FormatText, NumbersMustBeWholeAndInRange) {
  EXPECT_EQ(parse_number("0.5", 0, 1, "x").value(), 0.5);
  EXPECT_EQ(parse_number("1e-3", 0, 1, "x").value(), 1e-3);
  for (const char* bad : {"", "nan", "inf", "-0.1", "1.1", "0.5x", " 0.5", "0,5"})
    EXPECT_FALSE(parse_number(bad, 0, 1, "x").ok()) << bad;
  EXPECT_EQ(parse_integer("-3", -3, 7, "x").value(), -3);
  for (const char* bad : {"", "8", "-4", "1.0", "99999999999999999999", "0x1", "1 "})
    EXPECT_FALSE(parse_integer(bad, -3, 7, "x").ok()) << bad;
  EXPECT_EQ(parse_seed("18446744073709551615", "x").value(), UINT64_MAX);
  EXPECT_FALSE(parse_seed("18446744073709551616", "x").ok());
  EXPECT_FALSE(parse_seed("-1", "x").ok());
  EXPECT_EQ(parse_number("7", 0, 1, "--top-p").error().where, "--top-p");
}

TEST(FormatText, ListsOfNumbersKeepTheirOrder) {
  EXPECT_THAT(parse_integers("512,1,7", 1, 512, "x").value(), ElementsAre(512, 1, 7));
  EXPECT_THAT(parse_integers("0", 0, 1, "x").value(), ElementsAre(0));
  for (const char* bad : {"", ",", "1,", ",1", "1,,2", "1, 2", "0", "513", "1;2", "a"})
    EXPECT_FALSE(parse_integers(bad, 1, 512, "x").ok()) << bad;
}

TEST(FormatText, ListsOfIdsInEveryUsualForm) {
  for (const char* text : {"1,2,3", "[1, 2, 3]", " 1 2  3\n", "1, 2,3", "[1 2 3]"}) {
    const auto ids = parse_ids(text, 4, "x");
    ASSERT_TRUE(ids.ok()) << text << ": " << ids.error().message();
    EXPECT_THAT(ids.value(), ElementsAre(1, 2, 3)) << text;
  }
  EXPECT_THAT(parse_ids("0", 1, "x").value(), ElementsAre(0));
  for (const char* bad :
       {"", "[]", ",", "1,", ",1", "1,,2", "4", "-1", "a", "1;2", "[1,2", "2]", "1.5"})
    EXPECT_FALSE(parse_ids(bad, 4, "x").ok()) << bad;
}

TEST(FormatText, ControlCharactersDoNotReachTheTerminal) {
  EXPECT_EQ(terminal_safe("a\tb\nc"), "a\tb\nc");
  EXPECT_EQ(terminal_safe("\033[2J\a\r"), "\uFFFD[2J\uFFFD\uFFFD");
  EXPECT_EQ(terminal_safe("\u009b2J"), "\uFFFD2J");
  EXPECT_EQ(terminal_safe("\u00a0\u00e9 \u4f60 \U0001F600"), "\u00a0\u00e9 \u4f60 \U0001F600");
}

}  // namespace
}  // namespace ponder
