#include "judge/language.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ponder {
namespace {

constexpr std::string_view kEnglish =
    "First I add the two numbers, and then I have to divide what comes out by three, since there "
    "are "
    "three children who want to share the apples equally. ";
constexpr std::string_view kGerman =
    "Zuerst addiere ich die beiden Zahlen, und dann muss ich das Ergebnis durch drei teilen, weil "
    "es "
    "drei Kinder gibt, die sich die Äpfel gerecht teilen wollen. ";
constexpr std::string_view kChinese =
    "首先我把这两个数字相加，然后把结果除以三，因为有三个孩子想要平分这些苹果。";
constexpr std::string_view kJapanese =
    "まず二つの数を足してから、その結果を三で割ります。三人の子供がりんごを等しく分けたいからです"
    "。";
constexpr std::string_view kRussian =
    "Сначала я складываю два числа, а затем делю результат на три, потому что трое детей хотят "
    "поровну разделить яблоки. ";

TEST(Language, OneLanguage) {
  struct Sample {
    std::string_view code, text;
  };
  constexpr Sample kSamples[] = {
      {"en", kEnglish}, {"de", kGerman}, {"zh", kChinese}, {"ja", kJapanese}, {"ru", kRussian}};
  for (const Sample& wanted : kSamples) {
    EXPECT_TRUE(is_known_language(wanted.code));
    for (const Sample& given : kSamples) {
      const double share = language_share(given.text, wanted.code);
      if (wanted.code == given.code)
        EXPECT_GT(share, 0.95) << wanted.code;
      else
        EXPECT_LT(share, 0.05) << given.code << " as " << wanted.code;
    }
  }
  EXPECT_FALSE(is_known_language("klingon"));
}

TEST(Language, MixedTexts) {
  const double mixed = language_share(std::string(kEnglish) + std::string(kRussian), "en");
  EXPECT_GT(mixed, 0.4);
  EXPECT_LT(mixed, 0.75);
  const double german = language_share(std::string(kEnglish) + std::string(kGerman), "en");
  EXPECT_GT(german, 0.3);
  EXPECT_LT(german, 0.7);
  EXPECT_LT(language_share("So 我们 add three to it.", "en"), 1);
}

TEST(Language, FormulasAndCodeAreNoWords) {
  const std::string text =
      std::string(kChinese) +
      "$\\frac{a}{b} = c$ ```python\nprint(1)\n``` <answer>12</answer> \\boxed{3}";
  EXPECT_GT(language_share(text, "zh"), 0.95);
  EXPECT_EQ(language_share("12 + 3 = 15 $x$", "en"), 1);
  EXPECT_EQ(language_share("", "en"), 1);
  EXPECT_GE(language_share("\xff\xfe broken bytes", "en"), 0);
}

TEST(Language, HostileTexts) {
  for (const std::string_view piece : {"$", "```", "<", "\\", "\\(", "a$", "我", "`x"}) {
    std::string text;
    while (text.size() < 1'000'000) text += piece;
    const double share = language_share(text, "en");
    EXPECT_GE(share, 0);
    EXPECT_LE(share, 1);
  }
}

}  // namespace
}  // namespace ponder
