#include "text/stop_strings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

struct Scanned {
  std::string shown, stop;
  bool operator==(const Scanned&) const = default;
};

// Pushes the text in pieces of `size` bytes.
Scanned scan(const std::vector<std::string>& strings, const std::string& text, size_t size) {
  StopScanner scanner(StopStrings::create(strings).take_value());
  Scanned result;
  for (size_t at = 0; at < text.size() && !scanner.matched(); at += size) {
    TracedText piece;
    piece.add_token(std::string_view(text).substr(at, size));
    result.shown += scanner.push(std::move(piece)).bytes();
  }
  if (!scanner.matched()) result.shown += scanner.flush().bytes();
  result.stop = scanner.stop().bytes();
  return result;
}

// What the class promises, in the most obvious way.
Scanned by_search(const std::vector<std::string>& strings, const std::string& text) {
  for (size_t end = 1; end <= text.size(); ++end) {
    std::string longest;
    for (const std::string& string : strings)
      if (std::string_view(text).substr(0, end).ends_with(string) && string.size() > longest.size())
        longest = string;
    if (!longest.empty()) return {text.substr(0, end - longest.size()), longest};
  }
  return {text, ""};
}

TEST(StopStrings, TheFirstCompleteOneCounts) {
  EXPECT_EQ(scan({"cd", "bcde"}, "abcdef", 6), (Scanned{"ab", "cd"}));
  EXPECT_EQ(scan({"d", "cd", "bcd"}, "abcdef", 6), (Scanned{"a", "bcd"}));
  EXPECT_EQ(scan({"abcx", "bc"}, "abcd", 1), (Scanned{"a", "bc"}));
  EXPECT_EQ(scan({}, "abc", 1), (Scanned{"abc", ""}));
}

TEST(StopStrings, NothingOfOneIsShown) {
  StopScanner scanner(StopStrings::create({"STOP", "\n\n"}).take_value());
  const auto push = [&](std::string_view text) {
    TracedText piece;
    piece.add_token(text);
    return std::string(scanner.push(std::move(piece)).bytes());
  };
  EXPECT_EQ(push("go S"), "go ");
  EXPECT_EQ(push("TO"), "");
  EXPECT_EQ(push("Y\n"), "STOY");
  EXPECT_EQ(push("S"), "\n");
  EXPECT_EQ(push("TOP!"), "");
  EXPECT_TRUE(scanner.matched());
  EXPECT_EQ(scanner.rest().bytes(), "!");
}

TEST(StopStrings, AgreeWithASearchHoweverTheTextIsCut) {
  Rng rng(1);
  for (int round = 0; round < 3000; ++round) {
    const auto letters = [&](uint64_t most) {
      std::string text;
      for (uint64_t i = 0, size = 1 + rng.next_below(most); i < size; ++i)
        text += static_cast<char>('a' + rng.next_below(2));
      return text;
    };
    std::vector<std::string> strings(1 + rng.next_below(4));
    for (std::string& string : strings) string = letters(6);
    const std::string text = letters(12);
    const Scanned expected = by_search(strings, text);
    for (const size_t size : {1, 2, 3, 20})
      ASSERT_EQ(scan(strings, text, size), expected) << testing::PrintToString(strings) << text;
  }
}

TEST(StopStrings, LongOnesThatAlmostMatch) {
  const std::string a(StopStrings::kMostBytes - 1, 'a');
  const std::string text = std::string(100000, 'a') + "b";
  EXPECT_EQ(scan({a + "b", a + "c"}, text, 7).shown.size(), 100001 - a.size() - 1);
}

TEST(StopStrings, TellsWhatItRefuses) {
  EXPECT_TRUE(StopStrings::create({}).ok());
  EXPECT_TRUE(StopStrings::create(std::vector<std::string>(16, "x")).ok());
  for (const auto& [strings, problem] :
       {std::pair(std::vector<std::string>(17, "x"), "more than 16"),
        std::pair(std::vector<std::string>{"x", ""}, "empty"),
        std::pair(std::vector<std::string>{std::string(1025, 'x')}, "more than 1024"),
        std::pair(std::vector<std::string>{"\xff"}, "UTF-8")}) {
    const auto result = StopStrings::create(strings);
    ASSERT_FALSE(result.ok());
    EXPECT_THAT(result.error().message(), HasSubstr(problem));
  }
}

}  // namespace
}  // namespace ponder
