#include "data/steps/recipe.hpp"

#include <gtest/gtest.h>

namespace ponder {
namespace {

std::string failure(const std::string& text) {
  const auto recipe = parse_recipe(text, "r.toml");
  return recipe.ok() ? "" : recipe.error().message();
}

constexpr const char* kHead = "input = [\"a\"]\noutput = \"o\"\n";

TEST(DataRecipe, ReadsSteps) {
  const auto recipe =
      parse_recipe(std::string(kHead) +
                       "[[step]]\ntype = \"filter\"\npreset = \"gopher\"\n"
                       "[step.gopher_quality]\nmin_words = 7\nstop_words = \"off\"\n"
                       "[step.expression]\nkeep = [\"contains(text, 'a')\"]\n"
                       "[[step]]\ntype = \"dedup-near\"\nbands = 9\n"
                       "[[step]]\ntype = \"pack\"\ntokenizer = \"t\"\nlength = 64\n",
                   "r.toml");
  ASSERT_TRUE(recipe.ok()) << recipe.error().message();
  const auto& steps = recipe.value().steps;
  ASSERT_EQ(steps.size(), 3u);
  ASSERT_EQ(steps[0].filters.size(), 3u);
  EXPECT_EQ(steps[0].filters[0]->number(0), 7);
  EXPECT_EQ(steps[0].filters[2]->list(0), std::vector<std::string>{"contains(text, 'a')"});
  EXPECT_EQ(steps[1].dedup.near.bands, 9);
  EXPECT_EQ(steps[2].pack.length, 64u);
}

TEST(DataRecipe, NamesTheLineOfAMistake) {
  EXPECT_NE(failure("input = [").find("line 1"), std::string::npos);
  EXPECT_NE(failure(kHead).find("step is missing"), std::string::npos);
  EXPECT_NE(
      failure(std::string(kHead) + "[[step]]\ntype = \"dedup-near\"\nband = 9\n").find("line 5"),
      std::string::npos);
  EXPECT_NE(failure(std::string(kHead) + "[[step]]\ntype = \"dedup-near\"\nbands = \"9\"\n")
                .find("bands is no whole number"),
            std::string::npos);
  EXPECT_NE(failure(std::string(kHead) + "[[step]]\ntype = \"filter\"\n[step.gopher]\na = 1\n")
                .find("'gopher' is no filter"),
            std::string::npos);
  EXPECT_NE(failure(std::string(kHead) + "[[step]]\ntype = \"nothing\"\n").find("no type of step"),
            std::string::npos);
  EXPECT_NE(failure(std::string(kHead) + "[[step]]\ntype = \"pack\"\ntokenizer = \"t\"\n[[step]]\n"
                                         "type = \"dedup-exact\"\n")
                .find("last step"),
            std::string::npos);
}

// What --show-rules prints says the same again.
TEST(FilterSettings, PrintedRulesAreReadBack) {
  for (const std::string_view name : preset_names()) {
    const Filters filters = preset_filters(name).value();
    const std::string text = filters_as_toml(filters);
    const auto again = parse_filters(text, "t");
    ASSERT_TRUE(again.ok()) << again.error().message() << text;
    EXPECT_EQ(filters_as_toml(again.value()), text);
  }
}

}  // namespace
}  // namespace ponder
