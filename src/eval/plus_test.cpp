// Tests made from a suite's own solutions: they find what its own do not, and are the same each
// time.
#include "eval/plus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "judge/sandbox/sandbox.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

// A program that gives the last number passes the suite's own test.
const Json kBiggest = {
    {"task_id", "t/0"},
    {"prompt",
     "def biggest(x):\n    \"\"\"The largest number of a list that is not empty.\"\"\"\n"},
    {"entry_point", "biggest"},
    {"canonical_solution",
     "    best = x[0]\n    for v in x:\n        if v > best:\n            best = v\n    return "
     "best\n"},
    {"test",
     "def check(candidate):\n    assert candidate([9, 4, 9]) == 9\n    assert candidate([6, 6]) == "
     "6\n"}};
// Its test accepts any of several results.
const Json kProperty = {{"task_id", "t/1"},
                        {"prompt", "def any_even(x):\n    \"\"\"Some even number above x.\"\"\"\n"},
                        {"entry_point", "any_even"},
                        {"canonical_solution", "    return x + 2 - x % 2\n"},
                        {"test", "def check(candidate):\n    assert candidate(3) % 2 == 0\n"}};
const Json kUnsteady = {
    {"task_id", "t/2"},
    {"prompt", "def toss(x):\n    \"\"\"True.\"\"\"\n"},
    {"entry_point", "toss"},
    {"canonical_solution", "    import random\n    return x < 3 or random.random() < 0.5\n"},
    {"test",
     "def check(candidate):\n    assert candidate(1) == True\n    assert candidate(2) == True\n"}};

class Plus : public ::testing::Test {
 protected:
  void SetUp() override {
    auto created = Sandbox::create();
    if (!created.ok()) GTEST_SKIP() << created.error().message();
    sandbox = std::make_unique<Sandbox>(std::move(created).take_value());
    file = std::filesystem::path(::testing::TempDir()) / "ponder-plus.jsonl";
  }

  PlusSuite make(const std::vector<Json>& records, const PlusOptions& options = {}) {
    std::ofstream out(file, std::ios::binary);
    for (const Json& record : records) out << record.dump() << "\n";
    out.close();
    return make_plus(file, "", *sandbox, options).value();
  }

  // The verdict on a program by the tests of the suite that `text` is.
  Verdict verdict(const std::string& text, const std::string& answer) {
    const auto path = std::filesystem::path(::testing::TempDir()) / "ponder-plus-made.jsonl";
    std::ofstream(path, std::ios::binary) << text;
    const Suite suite = read_suite(path, "", "plus").value();
    EXPECT_THAT(suite.warning, HasSubstr("Plus (ours)"));
    return find_task("code")->judge(suite.problems[0], answer, sandbox.get()).verdict;
  }

  std::unique_ptr<Sandbox> sandbox;
  std::filesystem::path file;
};

TEST_F(Plus, FindsWhatTheTestsDoNot) {
  const PlusSuite plus = make({kBiggest});
  const PlusProblem& problem = plus.problems[0];
  EXPECT_EQ(problem.why_not, "");
  EXPECT_EQ(problem.recorded, 2);
  EXPECT_GE(problem.added, 20);
  EXPECT_LE(problem.added, 50);
  EXPECT_GT(problem.shown, problem.shown_before);
  const std::string last = "```python\ndef biggest(x):\n    return x[-1]\n```";
  const std::string right = "```python\ndef biggest(x):\n    return max(x)\n```";
  EXPECT_EQ(find_task("code")
                ->judge(read_suite(file, "", "s").value().problems[0], last, sandbox.get())
                .verdict,
            Verdict::kPass);
  EXPECT_EQ(verdict(plus_file(plus), last), Verdict::kWrong);
  EXPECT_EQ(verdict(plus_file(plus), right), Verdict::kPass);
}

TEST_F(Plus, TheSameSeedGivesTheSameBytes) {
  const std::string first = plus_file(make({kBiggest, kProperty, kUnsteady}));
  EXPECT_EQ(plus_file(make({kBiggest, kProperty, kUnsteady}, {.threads = 3})), first);
  EXPECT_NE(plus_file(make({kBiggest, kProperty, kUnsteady}, {.seed = 2})), first);
}

TEST_F(Plus, WhatCannotBeComparedStaysAsItIs) {
  const PlusSuite plus = make({kProperty, kUnsteady});
  EXPECT_THAT(plus.problems[0].why_not, HasSubstr("no comparisons"));
  EXPECT_EQ(plus.records[0]["test"], kProperty["test"]);
  EXPECT_EQ(plus.problems[1].recorded, 2);
  Json broken = kBiggest;
  broken["canonical_solution"] = "    return 1 +\n";
  EXPECT_THAT(make({broken}).problems[0].why_not, HasSubstr("SyntaxError"));
  broken["canonical_solution"] = "    while True:\n        pass\n";
  EXPECT_THAT(make({broken}).problems[0].why_not, HasSubstr("too long"));
}

TEST_F(Plus, OnlyFunctionsInPython) {
  std::ofstream(file) << R"({"id":"a","prompt":"p","language":"cpp","io":[]})"
                      << "\n";
  const auto plus = make_plus(file, "", *sandbox, {});
  ASSERT_FALSE(plus.ok());
  EXPECT_THAT(plus.error().message(), HasSubstr("HumanEval or MBPP"));
}

TEST_F(Plus, ProgramsOfMbppToo) {
  const PlusSuite plus =
      make({{{"task_id", 1},
             {"text", "Write a function to add."},
             {"code", "def add(a, b):\n    return a + b\n"},
             {"test_list", {"assert add(2, 2) == 4", "assert add(0, 0) == 0"}}}});
  EXPECT_EQ(plus.problems[0].why_not, "");
  EXPECT_EQ(verdict(plus_file(plus), "```python\ndef add(a, b):\n    return a * b\n```"),
            Verdict::kWrong);
  EXPECT_EQ(verdict(plus_file(plus), "```python\ndef add(x, y):\n    return y + x\n```"),
            Verdict::kPass);
}

}  // namespace
}  // namespace ponder
