// The built-in suites: that they are what they should be, and that a check finds what is not.
#include "eval/suite_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "judge/sandbox/sandbox.hpp"
#include "judge/tasks/made_input.hpp"

namespace ponder {
namespace {

TEST(BuiltinSuites, CppHasThreeLevelsWithTestsAndWrongPrograms) {
  const Suite suite = builtin_suite("cpp").value();
  EXPECT_EQ(suite.sha256.size(), 64u);
  std::map<int, int> levels;
  for (const Problem& problem : suite.problems) {
    ++levels[problem.level];
    EXPECT_EQ(problem.extra.value("language", ""), "cpp");
    EXPECT_GE(problem.extra.value("wrong", Json()).size(), 1u) << problem.id;
    for (const Json& wrong : problem.extra["wrong"])
      EXPECT_NE(problem.extra.value("solution", ""), wrong) << problem.id;
    EXPECT_GE(problem.extra["io"].size(), 8u) << problem.id;
    for (const Json& test : problem.extra["io"])
      EXPECT_TRUE(made_input(test["stdin"], problem.id).ok()) << problem.id;
  }
  EXPECT_EQ(levels.size(), 3u);
  for (const auto& [level, count] : levels) EXPECT_GE(count, 20) << level;
  EXPECT_FALSE(builtin_suite("python").ok());
}

// All of them: `ponder eval check cpp`, which tests/e2e runs.
TEST(BuiltinSuites, ACheckTellsRightFromWrong) {
  auto sandbox = Sandbox::create();
  if (!sandbox.ok()) GTEST_SKIP() << sandbox.error().message();
  Suite suite = builtin_suite("cpp").value();
  suite.problems.resize(3);                          // one of each level
  suite.problems[2].extra["wrong"] = Json::array();  // it takes the time limit
  suite.problems.push_back(suite.problems[0]);
  Json& extra = suite.problems.back().extra;
  extra["wrong"][0].swap(extra["solution"]);
  suite.problems.push_back(suite.problems[0]);
  suite.problems.back().extra.erase("solution");
  suite.problems.back().extra.erase("wrong");
  const auto check = check_solutions(suite, &sandbox.value(), 2, {}).value();
  EXPECT_EQ(check.count(false, true), 3);
  EXPECT_EQ(check.count(false, false), 1);
  EXPECT_EQ(check.count(true, true), 2);
  EXPECT_EQ(check.count(true, false), 1);
  EXPECT_EQ(check.without, 1);
  ASSERT_EQ(check.all.size(), 7u);
  EXPECT_EQ(check.all[6].id, suite.problems[0].id);
  for (const CheckedSolution& solution : check.all)
    EXPECT_NE(solution.judgement.verdict, Verdict::kInfra) << solution.judgement.why;
  const auto stop = [](const ProgressReport&) { return false; };
  EXPECT_EQ(check_solutions(suite, &sandbox.value(), 1, stop).error().what, "stopped");
}

}  // namespace
}  // namespace ponder
