#include "io/toml.hpp"

#include <gtest/gtest.h>

namespace ponder {
namespace {

TEST(Toml, NamesTheLineOfAMistake) {
  for (const char* line : {"[[*step]]", "[\"", "[[", "[a.*]", "[=]", "[[\x01]]"}) {
    const auto parsed = parse_toml("a = 1\n" + std::string(line) + "\n", "f.toml");
    ASSERT_FALSE(parsed.ok()) << line;
    EXPECT_TRUE(parsed.error().message().starts_with("f.toml: line 2")) << parsed.error().message();
  }
}

// Characters of every branch of toml++'s table of white space, where no text is.
TEST(Toml, LettersOutsideOfTextsAreMistakes) {
  for (const char* letter : {"\u00e9", "\u017f", "\u1500", "\u1ccc", "\u2100", "\u2c00", "\uff21"})
    for (const std::string& text : {letter + std::string(" = 1"), std::string("a = ") + letter,
                                    "[" + std::string(letter) + "]", "a " + std::string(letter)}) {
      const auto parsed = parse_toml("b = 1\n" + text + "\n", "f.toml");
      ASSERT_FALSE(parsed.ok()) << text;
      EXPECT_TRUE(parsed.error().message().starts_with("f.toml: line 2")) << text;
    }
  EXPECT_TRUE(parse_toml("a = '\u00e9'  # \u00e9\n", "f.toml").ok());
}

TEST(Toml, KeepsPlaces) {
  const auto parsed = parse_toml("a = 1\n\nb = 2\n", "f.toml");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(toml_place(*parsed.value().get("b"), "f.toml"), "f.toml: line 3");
}

}  // namespace
}  // namespace ponder
