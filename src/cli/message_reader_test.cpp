#include "cli/message_reader.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace ponder {
namespace {

// The messages that these lines give, and whether the last one is unfinished.
struct Read {
  std::vector<std::string> messages;
  std::vector<bool> plain;
  bool open = false;
};

Read read(const std::vector<std::string>& lines) {
  Read result;
  MessageReader reader;
  for (const std::string& line : lines) {
    if (!reader.push(line)) continue;
    result.plain.push_back(reader.is_plain());
    result.messages.push_back(reader.take());
  }
  result.open = !reader.empty();
  return result;
}

using Messages = std::vector<std::string>;

TEST(MessageReader, ALineIsAMessage) {
  const Read seen = read({"one", "", "/help"});
  EXPECT_EQ(seen.messages, (Messages{"one", "", "/help"}));
  EXPECT_EQ(seen.plain, (std::vector<bool>{true, true, true}));
}

TEST(MessageReader, QuotesHoldSeveralLines) {
  EXPECT_EQ(read({"\"\"\"", "one", "", "two\\", "\"\"\""}).messages, (Messages{"one\n\ntwo\\"}));
  EXPECT_EQ(read({"\"\"\"one", "two\"\"\"  ", "three"}).messages, (Messages{"one\ntwo", "three"}));
  EXPECT_EQ(read({"\"\"\"one\"\"\""}).messages, (Messages{"one"}));
  EXPECT_EQ(read({"\"\"\"", "/help", "\"\"\""}).plain, (std::vector<bool>{false}));
  EXPECT_TRUE(read({"\"\"\"", "one"}).open);
}

TEST(MessageReader, ABackslashContinuesALine) {
  EXPECT_EQ(read({"one\\", "two\\", "three", "four"}).messages,
            (Messages{"one\ntwo\nthree", "four"}));
  EXPECT_EQ(read({"/one\\", "two"}).plain, (std::vector<bool>{false}));
}

TEST(MessageReader, APastedTextIsNoCommand) {
  const Read seen = read({"/one\ntwo"});
  EXPECT_EQ(seen.messages, (Messages{"/one\ntwo"}));
  EXPECT_EQ(seen.plain, (std::vector<bool>{false}));
}

TEST(MessageReader, ClearForgetsWhatHasBegun) {
  MessageReader reader;
  EXPECT_FALSE(reader.push("\"\"\"one"));
  reader.clear();
  EXPECT_TRUE(reader.empty());
  EXPECT_TRUE(reader.push("two"));
  EXPECT_EQ(reader.take(), "two");
}

}  // namespace
}  // namespace ponder
