#include "text/unicode.hpp"

#include <gtest/gtest.h>

namespace ponder {
namespace {

TEST(Unicode, ClassesOfCharacters) {
  const uint8_t* classes = char_classes();
  EXPECT_EQ(classes['a'], kLetter | kWesternLetter);
  EXPECT_EQ(classes['7'], kNumber);
  EXPECT_EQ(classes['\n'], kSpace | kLineBreak);
  EXPECT_EQ(classes[0x85], kSpace);
  EXPECT_EQ(classes[0x180e], 0) << "no white space since Unicode 6.3";
  EXPECT_EQ(classes[0x4e00], kLetter);
  EXPECT_EQ(classes[0x301], kMark);
  EXPECT_EQ(classes[0x2162], kNumber);
  EXPECT_EQ(classes[0x1f600], kSymbol);
  EXPECT_EQ(classes[0x10ffff], 0);
  EXPECT_EQ(western_letter_set().substr(0, 9), "[A-Za-zµ");
}

TEST(Unicode, StepsOverBytes) {
  const auto expect = [](std::string_view text, Utf8Step::Kind kind, size_t length) {
    const Utf8Step step = utf8_step(text);
    EXPECT_EQ(step.kind, kind);
    EXPECT_EQ(step.length, length);
  };
  expect("a", Utf8Step::kCharacter, 1);
  expect("\u20ac", Utf8Step::kCharacter, 3);
  expect("\U0010FFFF", Utf8Step::kCharacter, 4);
  expect("\xe2\x82", Utf8Step::kUnfinished, 2);
  expect("\xf0", Utf8Step::kUnfinished, 1);
  expect("\xe2\x82z", Utf8Step::kBroken, 2);
  expect("\xe0\x80\x80", Utf8Step::kBroken, 1);
  expect("\xf4\x90\x80\x80", Utf8Step::kBroken, 1);
  expect("\xed\xa0", Utf8Step::kBroken, 1);
  expect("\x80", Utf8Step::kBroken, 1);
}

TEST(Unicode, RepairsOnlyWhatIsBroken) {
  EXPECT_FALSE(repaired_utf8(""));
  EXPECT_FALSE(repaired_utf8("plain text that is longer than a word, \u00e9 and \U0001F600"));
  EXPECT_EQ(repaired_utf8("0123456789\xff\u00e9\xe2\x82"), "0123456789\uFFFD\u00e9\uFFFD");
}

TEST(Unicode, NormalFormC) {
  EXPECT_FALSE(normalized_nfc("\u00e9 \u4f60\u597d \uac00 \u0416"));
  EXPECT_EQ(normalized_nfc("e\u0301"), "\u00e9");
  EXPECT_EQ(normalized_nfc("a\u0301\u0316"), "\u00e1\u0316") << "canonical order comes first";
  EXPECT_EQ(normalized_nfc("\u212b\u2126"), "\u00c5\u03a9");
  EXPECT_EQ(normalized_nfc("\u1112\u1161\u11ab"), "\ud55c");
  EXPECT_EQ(normalized_nfc("\uac00\u11a8"), "\uac01");
  EXPECT_EQ(normalized_nfc("\u0958"), "\u0915\u093c") << "excluded from composition";
  EXPECT_EQ(normalized_nfc("\u304b\u3099"), "\u304c");
  EXPECT_EQ(normalized_nfc("a\u0898\u0316\u0301"), "a\u0898\u0316\u0301") << "later than Unicode 9";
  EXPECT_EQ(normalized_nfc("\U00011938\u212b"), "\U00011938\u00c5");
}

TEST(Unicode, StripsLikePython) {
  EXPECT_EQ(stripped(" \t\u3000a b\u2003\x1c\n"), "a b");
  EXPECT_EQ(stripped("\u200bx\u200b"), "\u200bx\u200b");
  EXPECT_EQ(stripped(" \n "), "");
  EXPECT_EQ(stripped("\u00e9"), "\u00e9");
  for (const std::string_view broken :
       {"\xff", "\xe2\x80", "\xe2", "a\xe2\x80", "\x80\x80", "x\xf0"})
    EXPECT_EQ(stripped(broken), broken);
  EXPECT_EQ(stripped(" \xe2\x80 "), "\xe2\x80");
  EXPECT_EQ(stripped("\u2003\x80"), "\x80");
}

}  // namespace
}  // namespace ponder
