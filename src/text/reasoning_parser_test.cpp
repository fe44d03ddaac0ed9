#include "text/reasoning_parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace ponder {
namespace {

constexpr int32_t kOpen = 1, kClose = 2;

// ids: '<' opens, '>' closes, all else is text. Gives r, c or . (marker) for each.
std::string channels(ReasoningParser parser, std::string_view ids) {
  std::string result;
  for (const char c : ids) {
    const Channel channel = parser.push(c == '<' ? kOpen : c == '>' ? kClose : 100 + c);
    result += channel == Channel::kReasoning ? 'r' : channel == Channel::kContent ? 'c' : '.';
  }
  return result;
}

TEST(ReasoningParser, TagsSwitch) {
  EXPECT_EQ(channels({kOpen, kClose, false}, "<ab>cd"), ".rr.cc");
  EXPECT_EQ(channels({kOpen, kClose, false}, "ab"), "cc");
  EXPECT_EQ(channels({kOpen, kClose, false}, "a<b>c<d>e"), "c.r.c.r.c");
}

TEST(ReasoningParser, PromptThatEndsInThink) {
  EXPECT_EQ(channels({kOpen, kClose, true}, "ab>cd"), "rr.cc");
  EXPECT_EQ(channels({kOpen, kClose, true}, "<ab>cd"), ".rr.cc") << "the model opens once more";
  EXPECT_EQ(channels({kOpen, kClose, true}, "ab"), "rr") << "cut off";
  EXPECT_EQ(channels({std::nullopt, kClose, true}, "ab>c"), "rr.c");
}

TEST(ReasoningParser, MissingAndDoubledTags) {
  EXPECT_EQ(channels({kOpen, kClose, false}, "a>b"), "c.c");
  EXPECT_EQ(channels({kOpen, kClose, false}, "<<a>>b"), "..r..c");
  EXPECT_EQ(channels({kOpen, kClose, false}, "<>a"), "..c");
}

TEST(ReasoningParser, WithoutTokensAllIsContent) {
  EXPECT_EQ(channels({std::nullopt, std::nullopt, true}, "a<b>c"), "ccccc");
  EXPECT_EQ(channels({kOpen, std::nullopt, false}, "<a"), "cc");
}

TEST(ReasoningParser, TellsWhereItIs) {
  ReasoningParser parser(kOpen, kClose, true);
  EXPECT_TRUE(parser.inside());
  parser.push(kClose);
  EXPECT_FALSE(parser.inside());
}

}  // namespace
}  // namespace ponder
