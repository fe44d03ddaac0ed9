#include "train/rl/problems.hpp"

#include <gmock/gmock.h>

#include "testing/temp_folder.hpp"
#include "train/rl/demonstrations.hpp"
#include "train/rl/held_out.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

ProblemStream stream_of(const std::string& recipe, uint64_t seed,
                        std::set<std::string> excluded = {}) {
  const auto parsed = Recipe::parse(recipe, "test");
  EXPECT_TRUE(parsed.ok());
  auto sources = ProblemStream::read_sources(parsed.value());
  EXPECT_TRUE(sources.ok()) << sources.error().message();
  auto stream = ProblemStream::create(std::move(sources).take_value(), seed, std::move(excluded));
  EXPECT_TRUE(stream.ok()) << stream.error().message();
  return std::move(stream).take_value();
}

std::vector<std::string> prompts(ProblemStream& stream, int64_t begin, int64_t end) {
  std::vector<std::string> result;
  for (int64_t i = begin; i < end; ++i) result.push_back(stream.problem(i).value().prompt);
  return result;
}

constexpr const char* kModular = "[[task]]\nname = 'modular'\nlevels = [1, 3]\n";

TEST(Problems, DependOnSeedAndIndexAlone) {
  ProblemStream a = stream_of(kModular, 5), b = stream_of(kModular, 5), c = stream_of(kModular, 6);
  const auto later = prompts(b, 30, 40);
  const auto all = prompts(a, 0, 40);
  EXPECT_EQ(later, std::vector<std::string>(all.begin() + 30, all.end()));
  EXPECT_NE(prompts(c, 0, 40), all);
  std::set<int> levels;
  for (int64_t i = 0; i < 40; ++i) levels.insert(a.problem(i).value().level);
  EXPECT_EQ(levels, (std::set<int>{1, 3}));
}

TEST(Problems, HeldOutOnesNeverCome) {
  ProblemStream plain = stream_of(kModular, 5);
  const auto first = prompts(plain, 0, 20);
  const std::set<std::string> excluded(first.begin(), first.end());
  ProblemStream rest = stream_of(kModular, 5, excluded);
  for (const std::string& prompt : prompts(rest, 0, 200)) EXPECT_FALSE(excluded.contains(prompt));
}

TEST(Problems, WhenEverythingIsHeldOutAnErrorSaysSo) {
  std::set<std::string> excluded;
  for (const char op : {'+', '-', '*'})
    for (char a = '0'; a <= '9'; ++a)
      for (char b = '0'; b <= '9'; ++b) excluded.insert({a, op, b});
  ProblemStream stream =
      stream_of("[[task]]\nname = 'modular'\nlevels = [0]\n", 1, std::move(excluded));
  EXPECT_THAT(stream.problem(0).error().message(), HasSubstr("but those held out"));
}

TEST(Problems, FilesComeInEpochs) {
  const testing::TempFolder folder;
  std::string lines;
  for (int i = 0; i < 7; ++i)
    lines += R"({"question": "q)" + std::to_string(i) + R"(", "answer": )" + std::to_string(i) +
             R"(, "source": "x"})" + "\n\n";
  const auto path = folder.write("set.jsonl", lines).string();
  ProblemStream stream =
      stream_of("[[task]]\nname = 'modular'\nfile = '" + path + "'\n", 3, {"q6"});
  const auto first = prompts(stream, 0, 6), second = prompts(stream, 6, 12);
  const std::set<std::string> expected = {"q0", "q1", "q2", "q3", "q4", "q5"};
  EXPECT_EQ(std::set<std::string>(first.begin(), first.end()), expected);
  EXPECT_EQ(std::set<std::string>(second.begin(), second.end()), expected);
  EXPECT_NE(first, second);
  EXPECT_EQ(prompts(stream, 0, 6), first);
  const Problem problem = stream.problem(0).value();
  EXPECT_EQ("q" + problem.answer, problem.prompt);
  EXPECT_EQ(problem.extra["source"], "x");
  EXPECT_THAT(problem.id, HasSubstr("set.jsonl:"));
}

TEST(Problems, SourcesAreMixedByWeight) {
  ProblemStream stream = stream_of(
      "[[task]]\nname = 'modular'\nlevels = [1]\nweight = 3\n[[task]]\nname = 'arithmetic'\n", 1);
  int modular = 0;
  for (int64_t i = 0; i < 400; ++i) modular += stream.problem(i).value().task == "modular" ? 1 : 0;
  EXPECT_NEAR(modular, 300, 45);
  EXPECT_TRUE(stream.has_task("arithmetic"));
  EXPECT_FALSE(stream.has_task("code"));
}

TEST(Problems, BrokenLinesAndUnknownTasksAreErrors) {
  const testing::TempFolder folder;
  for (const char* line : {"", "{}", "[]", R"({"prompt": 3})", R"({"prompt": "x", "task": "no"})",
                           R"({"prompt": "x", "level": -1})", "{"}) {
    const auto path = folder.write("broken.jsonl", std::string(line) + "\n");
    EXPECT_FALSE(read_problems(path, "modular").ok()) << line;
  }
  for (const char* recipe : {"", "[[task]]\nname = 'astrology'\n", "[[task]]\nname = 'maths'\n",
                             "[[task]]\nname = 'modular'\nlevels = [99]\n"}) {
    const auto parsed = Recipe::parse(recipe, "test");
    EXPECT_FALSE(ProblemStream::read_sources(parsed.value()).ok()) << recipe;
  }
}

TEST(Problems, TrainingAndHeldOutNeverMix) {
  const auto recipe = Recipe::parse(std::string(kModular) +
                                        "[evaluation]\nproblems = 50\nseed = 9\n"
                                        "[[evaluation.task]]\nname = 'modular'\nlevels = [1]\n",
                                    "test");
  const auto evaluation = read_evaluation(recipe.value().table("evaluation"));
  auto split = split_problems(recipe.value(), evaluation.value(), 1);
  ASSERT_TRUE(split.ok()) << split.error().message();
  std::set<std::string> held_out;
  for (const Problem& problem : split.value().held_out) {
    EXPECT_EQ(problem.level, 1);
    held_out.insert(problem.prompt);
  }
  EXPECT_EQ(held_out.size(), 50u);
  for (int64_t i = 0; i < 3000; ++i)
    EXPECT_FALSE(held_out.contains(split.value().training.problem(i).value().prompt));
}

Problem modular(const std::string& prompt) {
  Problem problem;
  problem.task = "modular";
  problem.prompt = prompt;
  return problem;
}

TEST(Demonstrations, ChainsHaveMistakesAndGoOnFromThem) {
  Rng none(1), all(2);
  const Chain right = chain_with_mistakes(modular("(0+(5-8))*3"), 0.0, none);
  EXPECT_EQ(right.thoughts, "(0+(5-8))*3=(0+7)*3=7*3=1");
  EXPECT_EQ(right.answer, "1");
  for (int i = 0; i < 20; ++i) {
    const Chain wrong = chain_with_mistakes(modular("(0+(5-8))*3"), 1.0, all);
    // "(0+(5-8))*3=(0+a)*3=b*3=c": each is wrong for what stands before it.
    const char a = wrong.thoughts[15], b = wrong.thoughts[20], c = wrong.thoughts[24];
    EXPECT_EQ(wrong.thoughts.size(), 25u);
    EXPECT_NE(a, '7');
    EXPECT_NE(b, a);
    EXPECT_NE((b - '0') * 3 % 10, c - '0');
    EXPECT_EQ(wrong.answer, std::string(1, c));
  }
}

TEST(Demonstrations, SharesAreThoseAskedFor) {
  DemonstrationOptions options{.worked = 0.25, .seed = 4};
  Problem problem = modular("(1+2)*3");
  problem.answer = "9";
  int worked = 0;
  for (int64_t i = 0; i < 2000; ++i) {
    const std::string text = demonstration(problem, options, i);
    EXPECT_EQ(text, demonstration(problem, options, i));
    const bool thinks = text == "<think>(1+2)*3=3*3=9</think><answer>9</answer>";
    EXPECT_TRUE(thinks || text == "<answer>9</answer>") << text;
    worked += thinks ? 1 : 0;
  }
  EXPECT_NEAR(worked, 500, 80);
}

TEST(Demonstrations, TheFileIsWhatTheTrainerReads) {
  const testing::TempFolder folder;
  const std::string text = std::string("[model]\npath = 'recipes/tiny-r1'\n") + kModular +
                           "[demonstrations]\ncount = 50\nworked = 1.0\n";
  const auto model = std::filesystem::absolute("recipes/tiny-r1").string();
  const auto recipe = Recipe::parse(text, "test", std::vector<std::string>{"model.path=" + model});
  const auto written = write_demonstrations(recipe.value(), 7, folder.path(), {});
  ASSERT_TRUE(written.ok()) << written.error().message();
  const std::string lines = testing::content_of(folder.path() / "demonstrations.jsonl");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 50);
  const Tokenizer tokenizer = Tokenizer::load("recipes/tiny-r1").take_value();
  const Json line = parse_json(lines.substr(0, lines.find('\n')), "line").take_value();
  const auto tokens = line["tokens"].get<std::vector<int32_t>>();
  const std::string whole = tokenizer.decode(tokens);
  EXPECT_THAT(whole, ::testing::StartsWith("<｜begin▁of▁sentence｜><｜User｜>"));
  EXPECT_THAT(whole, ::testing::EndsWith("</answer><｜end▁of▁sentence｜>"));
  const auto first = line["learn_from"].get<size_t>();
  EXPECT_EQ(tokenizer.decode(std::span(tokens).subspan(first, 1)), "<think>");
  EXPECT_EQ(tokenizer.decode(std::span(tokens).subspan(first - 1, 1)), "<｜Assistant｜>");
}

}  // namespace
}  // namespace ponder
