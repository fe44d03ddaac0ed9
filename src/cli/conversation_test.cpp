#include "cli/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

Conversation sample() {
  return {.system = "Be brief.",
          .messages = {{.role = "user", .content = "Hi \"there\"\n\u4f60"},
                       {.role = "assistant", .content = "Hello.", .reasoning = "A greeting."}}};
}

TEST(Conversation, ComesBackAsItWasSaved) {
  const testing::TempFolder folder;
  const auto path = folder.path() / "talk.json";
  ASSERT_TRUE(save_conversation(sample(), path).ok());
  const auto loaded = load_conversation(path);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  EXPECT_EQ(loaded.value().system, "Be brief.");
  ASSERT_EQ(loaded.value().messages.size(), 2u);
  EXPECT_EQ(loaded.value().messages[0].content, "Hi \"there\"\n\u4f60");
  EXPECT_EQ(loaded.value().messages[1].reasoning, "A greeting.");
  EXPECT_EQ(conversation_text(loaded.value()), conversation_text(sample()));
}

TEST(Conversation, BrokenUtf8IsSavedAsReplacementCharacters) {
  Conversation conversation = sample();
  conversation.messages[0].content = "a\xff";
  const auto parsed = parse_conversation(conversation_text(conversation), "talk");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed.value().messages[0].content, "a\uFFFD");
}

TEST(Conversation, RefusesWhatIsNoConversation) {
  const std::string head = R"({"format":"ponder-chat","version":1,"messages":)";
  const std::pair<std::string, const char*> cases[] = {
      {"", "talk"},
      {"[]", "not a conversation"},
      {R"({"format":"other"})", "not a conversation"},
      {R"({"format":7})", "not a conversation"},
      {R"({"format":"ponder-chat","messages":[]})", "version"},
      {R"({"format":"ponder-chat","version":2,"messages":[]})", "version"},
      {R"({"format":"ponder-chat","version":1})", "no list"},
      {head + "{}}", "no list"},
      {head + "[7]}", "no object"},
      {head + R"([{"role":"user"}]})", "content"},
      {head + R"([{"role":"user","content":7}]})", "content"},
      {head + R"([{"role":"user","content":"a"}]})", "no answer"},
      {head + R"([{"role":"assistant","content":"a"}]})", "must be user"},
      {head + R"([{"role":"tool","content":"a"}]})", "must be user"},
      {head + R"([{"role":"system","content":"a"},{"role":"system","content":"b"}]})",
       "must be user"},
      {head + std::string(100000, '[') + "}", "talk"},
  };
  for (const auto& [text, expected] : cases) {
    const auto parsed = parse_conversation(text, "talk");
    ASSERT_FALSE(parsed.ok()) << text.substr(0, 100);
    EXPECT_THAT(parsed.error().message(), HasSubstr(expected)) << text.substr(0, 100);
  }
  EXPECT_TRUE(parse_conversation(head + "[]}", "talk").ok());
}

TEST(Conversation, EveryTruncationIsRefused) {
  std::string text = conversation_text(sample());
  text.pop_back();  // the line feed is not needed
  for (size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(parse_conversation(text.substr(0, length), "talk").ok()) << length;
}

}  // namespace
}  // namespace ponder
