// From an answer to the verdict on its program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/problem.hpp"
#include "judge/sandbox/sandbox.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

class Code : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto created = Sandbox::create();
    if (created.ok())
      sandbox = std::make_unique<Sandbox>(std::move(created).take_value());
    else
      why = created.error().message();
  }
  static void TearDownTestSuite() { sandbox.reset(); }
  void SetUp() override {
    if (sandbox == nullptr) GTEST_SKIP() << why;
  }

  static Judgement judge(const Problem& problem, const std::string& text) {
    return find_task("code")->judge(problem, text, sandbox.get());
  }

  static Problem humaneval() {
    return {.id = "h",
            .task = "code",
            .prompt = {},
            .answer = {},
            .extra = {{"language", "python"},
                      {"entry_point", "mean"},
                      {"prefix",
                       "from typing import List\n\ndef total(x: List[int]) -> int:\n    return "
                       "sum(x)\n\ndef mean(x: List[int]) -> float:\n    \"\"\"The mean.\"\"\"\n"},
                      {"tests", "def check(candidate):\n    assert candidate([1, 3]) == 2\n"}}};
  }

  static std::unique_ptr<Sandbox> sandbox;
  static std::string why;
};
std::unique_ptr<Sandbox> Code::sandbox;
std::string Code::why;

TEST_F(Code, WholeFunctionsBodiesAndBlocksPass) {
  for (const char* text :
       {"def mean(x):\n    return total(x) / len(x)\n",
        "Sure:\n```python\ndef mean(x: List[int]) -> float:\n    return sum(x) / "
        "len(x)\n```\nDone.",
        "```python\ndef mean(x): return 2\n```\nUse it:\n```python\nprint(mean([5]))\n```",
        "<think>```python\ndef mean(x): return 0\n```</think>```python\ndef mean(x): return 2\n```",
        "```python\n    return total(x) / len(x)\n```"})
    EXPECT_EQ(judge(humaneval(), text).verdict, Verdict::kPass) << text;
}

TEST_F(Code, WrongOnesAreToldApart) {
  EXPECT_EQ(judge(humaneval(), "```python\ndef mean(x): return 3\n```").verdict, Verdict::kWrong);
  const Judgement broken = judge(humaneval(), "```python\ndef mean(x): return x.y\n```");
  EXPECT_EQ(broken.verdict, Verdict::kRuntimeError);
  EXPECT_THAT(broken.why, HasSubstr("AttributeError"));
  EXPECT_THAT(broken.extracted, HasSubstr("x.y"));
  EXPECT_EQ(judge(humaneval(), "```python\ndef mean(x) return\n```").verdict,
            Verdict::kCompileError);
  EXPECT_EQ(judge(humaneval(), "").verdict, Verdict::kNoAnswer);
}

TEST_F(Code, ProgramsAreComparedByTheirOutput) {
  const Problem problem{
      .id = "io",
      .task = "code",
      .prompt = {},
      .answer = {},
      .extra = {
          {"language", "python"},
          {"io", {{{"stdin", "1\n"}, {"stdout", "2\n"}}, {{"stdin", "5\n"}, {"stdout", "6\n"}}}}}};
  EXPECT_EQ(judge(problem, "```python\nprint(int(input()) + 1)\n```").verdict, Verdict::kPass);
  const Judgement wrong = judge(problem, "```python\nprint(2)\n```");
  EXPECT_EQ(wrong.verdict, Verdict::kWrong);
  EXPECT_THAT(wrong.why, HasSubstr("case 2"));
}

TEST(CodeTask, OurFailuresAreInfra) {
  const Problem problem{.id = "p",
                        .task = "code",
                        .prompt = {},
                        .answer = {},
                        .extra = {{"language", "python"}, {"tests", "assert True"}}};
  EXPECT_EQ(find_task("code")->judge(problem, "x = 1", nullptr).verdict, Verdict::kInfra);
}

}  // namespace
}  // namespace ponder
