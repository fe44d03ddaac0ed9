#include "cli/answer.hpp"

#include <gtest/gtest.h>

namespace ponder {
namespace {

Tokenizer tokenizer() {
  return Tokenizer::load("tests/golden/text/deepseek-v3.tokenizer.json").take_value();
}

// What a model's output, written with its tags, becomes; one byte of text a token.
struct Split {
  std::string reasoning, content;
  std::vector<std::string> pieces;
};

Split split(std::string_view output, bool starts_inside) {
  const Tokenizer t = tokenizer();
  Split result;
  AnswerText text(t, starts_inside, [&](Channel channel, std::string_view piece) {
    (channel == Channel::kReasoning ? result.reasoning : result.content) += piece;
    result.pieces.emplace_back(piece);
    return true;
  });
  while (!output.empty()) {
    size_t length = 1;
    for (const std::string_view tag : {"<think>", "</think>"})
      if (output.starts_with(tag)) length = tag.size();
    EXPECT_TRUE(text.push(*t.find(output.substr(0, length))));
    output.remove_prefix(length);
  }
  EXPECT_TRUE(text.finish());
  return result;
}

TEST(AnswerText, PlainContentIsKeptExactly) {
  const Split seen = split(" a \n\nb\n ", false);
  EXPECT_EQ(seen.content, " a \n\nb\n ");
  EXPECT_EQ(seen.reasoning, "");
}

TEST(AnswerText, WhiteSpaceAroundTheTagsIsDropped) {
  for (const bool inside : {false, true}) {
    const Split seen =
        split(std::string(inside ? "" : "<think>") + "\nI see. \n\nSo:\n</think>\n\n42\n", inside);
    EXPECT_EQ(seen.reasoning, "I see. \n\nSo:");
    EXPECT_EQ(seen.content, "42\n");
  }
}

TEST(AnswerText, EmptyThoughtsLeaveNoTrace) {
  const Split seen = split("<think>\n\n</think>\n\n42", false);
  EXPECT_EQ(seen.reasoning, "");
  EXPECT_EQ(seen.content, "42");
}

TEST(AnswerText, ThoughtsMayEndEarlyOrComeAgain) {
  EXPECT_EQ(split("I see.\n", true).reasoning, "I see.");
  const Split again = split("a</think>b<think>c</think>d", true);
  EXPECT_EQ(again.reasoning, "ac");
  EXPECT_EQ(again.content, "bd");
}

TEST(AnswerText, StrayTagsChangeNothing) {
  EXPECT_EQ(split("a </think> b", false).content, "a  b");
  EXPECT_EQ(split("<think>\na <think> b</think>c", true).reasoning, "a  b");
}

TEST(AnswerText, PiecesAreWholeCharacters) {
  const Split seen = split("\u00e9\u4f60</think>\U0001F600", true);
  EXPECT_EQ(seen.pieces, (std::vector<std::string>{"\u00e9", "\u4f60", "\U0001F600"}));
  EXPECT_EQ(split("\u4f60</think>\xe4\xbd", true).content, "\uFFFD");
}

TEST(AnswerText, StopsWhenTheSinkSaysSo) {
  const Tokenizer t = tokenizer();
  AnswerText text(t, false, [](Channel, std::string_view) { return false; });
  EXPECT_FALSE(text.push(*t.find("a")));
}

TEST(AnswerText, APromptOpensThoughtsByItsLastTag) {
  const Tokenizer t = tokenizer();
  EXPECT_FALSE(prompt_opens_thinking(t, t.encode("Hi")));
  EXPECT_TRUE(prompt_opens_thinking(t, t.encode("Hi<think>")));
  EXPECT_FALSE(prompt_opens_thinking(t, t.encode("<think>Hi</think>")));
}

}  // namespace
}  // namespace ponder
