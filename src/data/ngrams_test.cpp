#include "data/ngrams.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ponder {
namespace {

std::vector<uint64_t> hashes_of(std::string_view text, size_t n) {
  return ngram_hashes(normal_words(text), n);
}

TEST(NormalWords, AreLettersAndDigitsInLowerCase) {
  const std::string text = "The  QUICK-fox, 42 times; naïve ÜBER";
  std::string seen;
  for (const NormalWord& word : normal_words(text))
    seen += "[" + text.substr(word.begin, word.end - word.begin) + "]";
  EXPECT_EQ(seen, "[The][QUICK][fox][42][times][naïve][ÜBER]");
  EXPECT_EQ(hashes_of("the quick fox", 3), hashes_of("THE\n\"Quick\" (Fox)!", 3));
  EXPECT_EQ(hashes_of("über", 1), hashes_of("Über", 1));
  EXPECT_NE(hashes_of("ab c", 2), hashes_of("a bc", 2));
}

TEST(NormalWords, CharactersWithoutSpacesAreWords) {
  EXPECT_EQ(normal_words("你好世界").size(), 4u);
  EXPECT_EQ(normal_words("abc你de").size(), 3u);
}

TEST(NormalWords, BrokenBytesSeparate) {
  EXPECT_EQ(normal_words("ab\xff\xfe"
                         "cd\xc3")
                .size(),
            2u);
  EXPECT_TRUE(normal_words("").empty());
}

TEST(Ngrams, AreTheSameWhereverTheyStand) {
  const auto part = hashes_of("one two three four", 3);
  ASSERT_EQ(part.size(), 2u);
  const auto whole = hashes_of("zero zero One, TWO three four five", 3);
  ASSERT_EQ(whole.size(), 5u);
  EXPECT_EQ(whole[2], part[0]);
  EXPECT_EQ(whole[3], part[1]);
  EXPECT_NE(part[0], part[1]);
}

TEST(Ngrams, OrderMattersAndShortTextsHaveNone) {
  EXPECT_NE(hashes_of("a b", 2), hashes_of("b a", 2));
  EXPECT_TRUE(hashes_of("a b", 3).empty());
  EXPECT_TRUE(hashes_of("a b", 0).empty());
}

}  // namespace
}  // namespace ponder
