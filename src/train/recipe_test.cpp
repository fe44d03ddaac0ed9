#include "train/recipe.hpp"

#include <gmock/gmock.h>

#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Recipe recipe_of(std::string_view text, std::vector<std::string> sets = {}) {
  auto recipe = Recipe::parse(text, "r.toml", sets);
  EXPECT_TRUE(recipe.ok()) << recipe.error().message();
  return std::move(recipe).take_value();
}

TEST(Recipe, ReadsEveryKind) {
  const Recipe r = recipe_of(
      "steps = 12\nrate = 3e-4\nmtp = true\nname = \"a\"\nlist = [\"x\", \"y\"]\n"
      "shares = [1, 0.5]\n[model]\npath = \"m\"\n[[task]]\nkind = \"sum\"\n[[task]]\nkind = "
      "\"p\"\n");
  EXPECT_EQ(r.integer("steps", {}).value(), 12);
  EXPECT_EQ(r.number("rate", {}).value(), 3e-4);
  EXPECT_EQ(r.number("steps", {}).value(), 12.0);
  EXPECT_TRUE(r.flag("mtp", false).value());
  EXPECT_EQ(r.text("name", {}).value(), "a");
  EXPECT_THAT(r.texts("list").value(), ElementsAre("x", "y"));
  EXPECT_THAT(r.texts("name").value(), ElementsAre("a"));
  EXPECT_THAT(r.numbers("shares").value(), ElementsAre(1.0, 0.5));
  EXPECT_EQ(r.text("model.path", {}).value(), "m");
  EXPECT_EQ(r.table("model").text("path", {}).value(), "m");
  const auto tasks = r.tables("task").value();
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[1].text("kind", {}).value(), "p");
  EXPECT_EQ(tasks[0].integer("count", 7).value(), 7);
  EXPECT_FALSE(r.finish().ok());  // nobody asked for task[0].kind
  EXPECT_EQ(tasks[0].text("kind", {}).value(), "sum");
  EXPECT_TRUE(r.finish().ok());
}

TEST(Recipe, AnUnknownKeyIsNamedWithLineAndNearest) {
  const Recipe r = recipe_of("seed = 1\n[optimizer]\nratte = 1e-4\n");
  EXPECT_TRUE(r.integer("seed", 0).ok());
  EXPECT_TRUE(r.number("optimizer.rate", 1e-3).ok());
  const auto finished = r.finish();
  ASSERT_FALSE(finished.ok());
  EXPECT_THAT(finished.error().message(), HasSubstr("r.toml: line 3: optimizer.ratte"));
  EXPECT_THAT(finished.error().message(), HasSubstr("nearest is optimizer.rate"));
}

TEST(Recipe, WrongValuesAreErrors) {
  const Recipe r = recipe_of("a = \"x\"\nb = 1.5\nc = -1\nd = [1, \"x\"]\ne = 2\n");
  const std::string_view words[] = {"y", "z"};
  EXPECT_THAT(r.integer("a", 1).error().message(), HasSubstr("line 1: a: must be a whole number"));
  EXPECT_FALSE(r.integer("b", 1).ok());
  EXPECT_THAT(r.integer("c", 1, {.least = 0}).error().message(), HasSubstr("of at least 0"));
  EXPECT_FALSE(r.texts("d").ok());
  EXPECT_FALSE(r.numbers("d").ok());
  EXPECT_FALSE(r.flag("e", true).ok());
  EXPECT_FALSE(r.tables("d").ok());
  EXPECT_THAT(r.word("a", {}, words).error().message(), HasSubstr("none of y, z"));
  EXPECT_THAT(r.text("none", {}).error().message(), HasSubstr("is missing"));
  EXPECT_FALSE(r.number("b", {}, {.least = 0, .most = 1}).ok());
}

TEST(Recipe, SetsGoBeforeTheFile) {
  const Recipe r = recipe_of("[optimizer]\nrate = 1\n[[task]]\nn = 1\n",
                             {"optimizer.rate=2", "optimizer.new.key=word", "task[0].n=5",
                              "list=[\"a b\"]", "path=a/b.c"});
  EXPECT_EQ(r.number("optimizer.rate", {}).value(), 2);
  EXPECT_EQ(r.text("optimizer.new.key", {}).value(), "word");
  EXPECT_EQ(r.tables("task").value()[0].integer("n", {}).value(), 5);
  EXPECT_THAT(r.texts("list").value(), ElementsAre("a b"));
  EXPECT_EQ(r.text("path", {}).value(), "a/b.c");
  EXPECT_EQ(r.where("optimizer.rate"), "--set optimizer.rate");
  for (const std::string bad : {"a", "=1", "a..b=1", ".a=1", "a b=1", "task[9].n=1", "task.n=1"}) {
    const std::vector<std::string> sets = {bad};
    EXPECT_FALSE(Recipe::parse("[[task]]\nn = 1\n", "r", sets).ok()) << bad;
  }
}

TEST(Recipe, ASetKeyThatNobodyReadsIsAnError) {
  const Recipe r = recipe_of("", {"optimizer.rat=2"});
  EXPECT_TRUE(r.number("optimizer.rate", 1).ok());
  EXPECT_THAT(r.finish().error().message(), HasSubstr("--set optimizer.rat"));
}

TEST(Recipe, BrokenTomlIsNamedWithItsLine) {
  const auto broken = Recipe::parse("a = 1\nb = \n", "r.toml");
  ASSERT_FALSE(broken.ok());
  EXPECT_THAT(broken.error().message(), HasSubstr("r.toml: line 2"));
}

TEST(Recipe, PathsLieBesideTheRecipe) {
  testing::TempFolder folder;
  const auto file = folder.write("r.toml", "a = \"x/y\"\nb = \"/abs\"\nc = [\"p\", \"q\"]\n");
  const auto r = Recipe::open(file).take_value();
  EXPECT_EQ(r.path("a", {}).value(), folder.path() / "x/y");
  EXPECT_EQ(r.path("b", {}).value(), "/abs");
  EXPECT_THAT(r.paths("c").value(), ElementsAre(folder.path() / "p", folder.path() / "q"));
  EXPECT_EQ(r.path("d", "").value(), "");
}

TEST(Recipe, ResolvedHasWhatWasAsked) {
  const Recipe r = recipe_of("b = 2\na = \"x\"\n");
  EXPECT_TRUE(r.integer("b", {}).ok());
  EXPECT_TRUE(r.text("a", {}).ok());
  EXPECT_TRUE(r.number("c", 0.5).ok());
  EXPECT_EQ(r.resolved(), "a = \"x\"\nb = 2\nc = 0.5\n");
}

}  // namespace
}  // namespace ponder
