#include "judge/tasks/tasks.hpp"

#include <gtest/gtest.h>

#include <set>

#include "judge/format.hpp"
#include "judge/tasks/tree.hpp"

namespace ponder {
namespace {

const Task& task(std::string_view name) {
  const Task* found = find_task(name);
  EXPECT_NE(found, nullptr) << name;
  return *found;
}

Verdict judge(std::string_view name, const Problem& problem, std::string_view text) {
  return task(name).judge(problem, text, nullptr).verdict;
}

TEST(Tasks, AreFoundByName) {
  for (const std::string_view name : task_names()) {
    ASSERT_NE(find_task(name), nullptr);
    EXPECT_EQ(find_task(name)->name(), name);
  }
  EXPECT_EQ(find_task("astrology"), nullptr);
}

TEST(Tasks, ProblemsAreFunctionsOfTheirNumbers) {
  for (const std::string_view name : task_names()) {
    const Task& made_by = task(name);
    if (made_by.levels() == 0) continue;
    std::set<std::string> prompts, ids;
    int differ = 0;
    for (int level = 0; level < made_by.levels(); ++level) {
      for (uint64_t index = 0; index < 50; ++index) {
        const Problem first = made_by.make(7, index, level), again = made_by.make(7, index, level);
        EXPECT_EQ(first.prompt, again.prompt);
        EXPECT_EQ(first.answer, again.answer);
        EXPECT_EQ(first.extra, again.extra);
        EXPECT_EQ(first.level, level);
        EXPECT_EQ(first.task, name);
        differ += first.prompt != made_by.make(8, index, level).prompt;
        prompts.insert(first.prompt), ids.insert(first.id);
      }
    }
    EXPECT_GE(differ, 45 * made_by.levels()) << name;
    EXPECT_EQ(ids.size(), 50u * made_by.levels()) << name;
    EXPECT_GT(prompts.size(), 40u * made_by.levels()) << name;
  }
}

// The reference answer passes, in all the places where an answer may stand; another one does not.
TEST(Tasks, JudgeTheirOwnAnswers) {
  for (const std::string_view name : {"arithmetic", "chain", "countdown", "modular"}) {
    for (int level = 0; level < task(name).levels(); ++level) {
      for (uint64_t index = 0; index < 30; ++index) {
        const Problem problem = task(name).make(1, index, level);
        const std::string thought = task(name).worked(problem);
        EXPECT_FALSE(thought.empty()) << problem.prompt;
        const std::string text = in_form(thought, problem.answer);
        EXPECT_EQ(form_objection(text), "");
        EXPECT_EQ(judge(name, problem, text), Verdict::kPass) << problem.prompt << "\n" << text;
        EXPECT_EQ(judge(name, problem, "So it is $\\boxed{" + problem.answer + "}$."),
                  Verdict::kPass);
        EXPECT_EQ(judge(name, problem, in_form(thought, problem.answer + "+1")), Verdict::kWrong);
        EXPECT_EQ(judge(name, problem, "<think>" + thought), Verdict::kNoAnswer);
      }
    }
  }
}

TEST(Modular, WorksAsPublished) {
  Problem problem{.id = {}, .task = "modular", .prompt = "(0+(5-8))*3", .answer = "1", .extra = {}};
  EXPECT_EQ(task("modular").worked(problem), "(0+(5-8))*3=(0+7)*3=7*3=1");
  EXPECT_EQ(judge("modular", problem, "<think>7*3</think><answer>1</answer>"), Verdict::kPass);
  EXPECT_EQ(judge("modular", problem, "<answer>11</answer>"), Verdict::kWrong);
  EXPECT_EQ(judge("modular", problem, "<answer></answer>"), Verdict::kNoAnswer);
}

// The last number of each chain of thought is the answer.
TEST(Arithmetic, ThoughtsLeadToTheAnswer) {
  for (const std::string_view name : {"arithmetic", "chain", "modular"}) {
    for (int level = 0; level < task(name).levels(); ++level) {
      for (uint64_t index = 0; index < 200; ++index) {
        const Problem problem = task(name).make(3, index, level);
        const std::string thought = task(name).worked(problem);
        EXPECT_TRUE(thought.ends_with("=" + problem.answer)) << thought << " -> " << problem.answer;
      }
    }
  }
}

// Each equation in a chain of thought is true.
TEST(Arithmetic, ThoughtsAreTrue) {
  for (int level = 0; level < task("arithmetic").levels(); ++level) {
    for (uint64_t index = 0; index < 200; ++index) {
      std::string thought =
          task("arithmetic").worked(task("arithmetic").make(5, index, level)) + ",";
      for (size_t start = 0, end;
           (end = thought.find_first_of(",;", start)) != std::string::npos;) {
        const std::string step = thought.substr(start, end - start);
        start = std::min(end + 2, thought.size());
        const size_t equals = step.find('=');
        ASSERT_NE(equals, std::string::npos) << thought;
        const auto left = ArithmeticTree::parse(step.substr(0, equals));
        const auto right = ArithmeticTree::parse(step.substr(equals + 1));
        ASSERT_TRUE(left && right) << step;
        EXPECT_EQ(left->value(), right->value()) << step;
        if (start >= thought.size()) break;
      }
    }
  }
}

TEST(Countdown, CountsNumbersAndValues) {
  Problem problem{.id = {},
                  .task = "countdown",
                  .prompt = {},
                  .answer = {},
                  .extra = {{"numbers", {3, 4, 5, 25}}, {"target", 27}}};
  const auto verdict = [&](std::string_view answer) {
    return judge("countdown", problem, "<answer>" + std::string(answer) + "</answer>");
  };
  EXPECT_EQ(verdict("3*(4+5)"), Verdict::kPass);
  EXPECT_EQ(verdict("3 \\times (4 + 5) = 27"), Verdict::kPass);
  EXPECT_EQ(verdict("(25*(5-3)+4)/(3-1)"), Verdict::kWrong);  // 3 twice, and 1
  EXPECT_EQ(verdict("-3+25+5"), Verdict::kPass);
  EXPECT_EQ(verdict("27"), Verdict::kWrong);
  EXPECT_EQ(verdict("3*4+5*3"), Verdict::kWrong);
  EXPECT_EQ(verdict("3*(4+5)=28"), Verdict::kWrong);
  EXPECT_EQ(verdict("25/(5-5)"), Verdict::kWrong);
  EXPECT_EQ(verdict("3**3"), Verdict::kWrong);
  EXPECT_EQ(verdict("3^3"), Verdict::kWrong);
  EXPECT_EQ(verdict(std::string(1'000'000, '(')), Verdict::kWrong);
  EXPECT_EQ(verdict("99999999999999999999"), Verdict::kWrong);
  EXPECT_EQ(verdict(""), Verdict::kNoAnswer);
}

TEST(Tree, ReadsWritesAndCounts) {
  const auto value = [](std::string_view text) -> std::string {
    const auto tree = ArithmeticTree::parse(text);
    if (!tree) return "none";
    const auto found = tree->value();
    return found ? std::to_string(found->top) + "/" + std::to_string(found->bottom) : "undefined";
  };
  EXPECT_EQ(value("1+2*3"), "7/1");
  EXPECT_EQ(value("(1+2)*3 - 4/6"), "25/3");
  EXPECT_EQ(value("10-3-2"), "5/1");
  EXPECT_EQ(value("2*-3"), "-6/1");
  EXPECT_EQ(value("8÷2×4"), "16/1");
  EXPECT_EQ(value("1/(2-2)"), "undefined");
  EXPECT_EQ(value("1000000000000*1000000000000"), "undefined");
  EXPECT_EQ(value("1/1000000000000/1000000000000+1"), "undefined");
  for (const std::string_view broken : {"", "1+", "(1", "1)", "1 2", "x", "1..2", "9999999999999"})
    EXPECT_EQ(value(broken), "none") << broken;
  EXPECT_EQ(value(std::string(60, '(') + "1" + std::string(60, ')')), "none");
  EXPECT_EQ(ArithmeticTree::parse("1+2*(3-4)")->text(), "1+(2*(3-4))");
}

}  // namespace
}  // namespace ponder
