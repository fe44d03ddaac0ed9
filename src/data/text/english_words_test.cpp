#include "data/text/english_words.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "io/json.hpp"

namespace ponder {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  EnglishWords cutter;
  std::vector<std::string> words;
  for (const TextSpan& word : cutter.words(text)) words.emplace_back(word.of(text));
  return words;
}

using Words = std::vector<std::string>;

TEST(EnglishWords, AffixesInfixesAndFixedWords) {
  EXPECT_EQ(words_of("He can't, \"really\"!"),
            (Words{"He", "ca", "n't", ",", "\"", "really", "\"", "!"}));
  EXPECT_EQ(words_of("(well-known) 5km at 10am."),
            (Words{"(", "well", "-", "known", ")", "5", "km", "at", "10", "am", "."}));
  EXPECT_EQ(words_of("see http://example.com/a,b:c :-) U.S."),
            (Words{"see", "http://example.com/a,b:c", ":-)", "U.S."}));
  EXPECT_EQ(words_of(" \n\t "), Words{});
  EXPECT_EQ(words_of(""), Words{});
}

TEST(EnglishWords, CutsAsSpacyDoes) {
  const auto text = read_file("tests/golden/data/english_words.json", 1 << 24);
  ASSERT_TRUE(text.ok());
  const auto cases = parse_json(text.value(), "golden");
  ASSERT_TRUE(cases.ok());
  ASSERT_GE(cases.value().size(), 400u);
  EnglishWords cutter;
  for (const Json& example : cases.value()) {
    const auto sentence = example["text"].get<std::string>();
    EXPECT_EQ(words_of(sentence), example["words"].get<Words>()) << sentence;
    EXPECT_EQ(cutter.sentences(sentence), example["sentences"].get<int>()) << sentence;
  }
}

// Long runs of what each rule looks for end in reasonable time.
TEST(EnglishWords, TakesHostileText) {
  for (const std::string_view piece :
       {".", "'", "@", "a.", "a-", "-", "…", ":/", "1+", "(", "@a."}) {
    std::string text;
    for (int i = 0; i < 100000; ++i) text += piece;
    EXPECT_FALSE(words_of(text).empty());
  }
}

}  // namespace
}  // namespace ponder
