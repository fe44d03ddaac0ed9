// Programs judged on this machine, at every level that it offers; levels that it lacks are skipped,
// with the reason.
#include "judge/sandbox/sandbox.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "judge/sandbox/self_test.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Result<Sandbox> sandbox_at(SandboxLevel level) {
  return Sandbox::create({.strongest = level, .allow_unconfined = level == SandboxLevel::kNone});
}

class SandboxTest : public ::testing::TestWithParam<SandboxLevel> {
 protected:
  void SetUp() override {
    auto made = sandbox_at(GetParam());
    if (!made.ok()) GTEST_SKIP() << made.error().message();
    if (made.value().level() != GetParam()) GTEST_SKIP() << made.value().level_reason();
    sandbox_.emplace(std::move(made).value());
  }

  RunResult run(const RunRequest& request) const { return sandbox_->run(request); }
  RunResult python_tests(const std::string& source, const std::string& tests,
                         const std::string& entry = "") const {
    return run({.source = source, .tests = AssertTests{.source = tests, .entry_point = entry}});
  }
  RunResult cpp_tests(const std::string& source, const std::string& tests) const {
    return run(
        {.language = Language::kCpp, .source = source, .tests = AssertTests{.source = tests}});
  }

  std::optional<Sandbox> sandbox_;
};

INSTANTIATE_TEST_SUITE_P(Levels, SandboxTest,
                         ::testing::Values(SandboxLevel::kNamespaces, SandboxLevel::kLandlock),
                         [](const auto& level) {
                           return std::string(sandbox_level_name(level.param));
                         });

TEST_P(SandboxTest, JudgesProgramsByTheirOutput) {
  RunRequest request{.source = "a, b = map(int, input().split())\nprint(a + b)\n"};
  request.cases = {{"1 2\n", "3\n"}, {"2 2\n", "4"}, {"5 5\n", "11"}, {"x", "1"}};
  const RunResult result = run(request);
  EXPECT_EQ(result.verdict, Verdict::kWrong);
  EXPECT_EQ(result.failed_case, 2);
  EXPECT_EQ(result.out, "10\n");
  EXPECT_THAT(result.why, HasSubstr("expected \"11\", got \"10\""));
  request.cases.resize(2);
  EXPECT_EQ(run(request).verdict, Verdict::kPass) << run(request).why;
}

TEST_P(SandboxTest, TellsEndsApart) {
  const auto verdict = [this](const std::string& source) {
    RunRequest request{.source = source};
    request.limits = {.cpu_seconds = 0.5, .memory_bytes = int64_t{64} << 20};
    return run(request);
  };
  EXPECT_EQ(verdict("pass").verdict, Verdict::kPass);
  const RunResult failed = verdict("import sys\nsys.stderr.write('oh no')\nsys.exit(7)");
  EXPECT_EQ(failed.verdict, Verdict::kRuntimeError);
  EXPECT_EQ(failed.exit_status, 7);
  EXPECT_THAT(failed.why, HasSubstr("oh no"));
  const RunResult killed = verdict("import os\nos.kill(os.getpid(), 11)");
  EXPECT_EQ(killed.verdict, Verdict::kRuntimeError);
  EXPECT_EQ(killed.signal, SIGSEGV);
  EXPECT_EQ(verdict("while True: pass").verdict, Verdict::kTimeout);
  EXPECT_EQ(verdict("x = 'a' * (1 << 30)").verdict, Verdict::kMemory);
  EXPECT_EQ(verdict("def f(:\n  pass").verdict, Verdict::kCompileError);
  EXPECT_EQ(verdict("eval('f(:')").verdict, Verdict::kRuntimeError);
}

TEST_P(SandboxTest, CountsMemoryThatIsTouchedNotWhatIsReserved) {
  const auto verdict = [this](const std::string& source) {
    RunRequest request{.source = "import mmap\n" + source};
    request.limits.memory_bytes = int64_t{64} << 20;
    return run(request);
  };
  const std::string reserve = "m = mmap.mmap(-1, 150 << 20, flags=mmap.MAP_PRIVATE)\n";
  const RunResult reserved = verdict(reserve + "m[0] = 1");
  EXPECT_EQ(reserved.verdict, Verdict::kPass) << reserved.why;
  const RunResult touched =
      verdict(reserve + "while True:\n  for i in range(0, len(m), 4096): m[i] = 1");
  EXPECT_EQ(touched.verdict, Verdict::kMemory);
  EXPECT_THAT(touched.why, HasSubstr("more than 64 MiB"));
  const std::string derived = "class ArrayMemoryError(MemoryError): pass\n";
  EXPECT_EQ(verdict(derived + "raise ArrayMemoryError('no room: 3 GiB')").verdict,
            Verdict::kMemory);
  EXPECT_EQ(verdict("raise ValueError('no MemoryError: none')").verdict, Verdict::kRuntimeError);
}

TEST_P(SandboxTest, EndsProgramsThatWait) {
  RunRequest request{.source = "import time\ntime.sleep(1000)"};
  request.limits.wall_seconds = 0.3;
  request.confirm_timeout = false;
  const RunResult result = run(request);
  EXPECT_EQ(result.verdict, Verdict::kTimeout);
  EXPECT_LT(result.cpu_seconds, 5);
}

TEST_P(SandboxTest, KeepsABoundedPartOfTheOutput) {
  RunRequest request{.source = "import sys\nfor i in range(100): sys.stdout.write('x' * 100000)"};
  request.limits.output_bytes = 1000;
  const RunResult result = run(request);
  EXPECT_EQ(result.verdict, Verdict::kPass) << result.why;
  EXPECT_EQ(result.out.size(), 1000U);
  request.cases = {{"", "x"}};
  EXPECT_EQ(run(request).verdict, Verdict::kWrong);
}

TEST_P(SandboxTest, RunsPythonTestsOfAllForms) {
  const std::string source = "def add(a, b):\n  return a + b\n";
  for (const std::string tests :
       {"assert add(1, 2) == 3", "def check(candidate):\n  assert candidate('a', 'b') == 'ab'",
        "from candidate import add as plus\nassert plus([1], [2]) == [1, 2]",
        "import solution\nassert solution.add(1.5, 1) == 2.5",
        "def test_add():\n  assert add(0, 0) == 0",
        "import unittest\nclass Cases(unittest.TestCase):\n"
        "  def test_one(self):\n    self.assertEqual(add(1, 1), 2)"}) {
    const RunResult right = python_tests(source, tests);
    EXPECT_EQ(right.verdict, Verdict::kPass) << tests << "\n" << right.why;
    const RunResult wrong = python_tests("def add(a, b):\n  return None\n", tests);
    EXPECT_EQ(wrong.verdict, Verdict::kWrong) << tests << "\n" << wrong.why;
  }
}

TEST_P(SandboxTest, PassesAllKindsOfDataBetweenTestsAndCandidate) {
  const std::string source = R"(
from collections import Counter, deque
from fractions import Fraction
def same(value): return value
def kinds(): return (None, True, -1, 2**200, 0.1, float("inf"), "ü\ud800", b"\xff", [1, (2,)], {3}, {(1, 2): [4]})
def rest(): return frozenset({1}), 1 + 2j, range(3), deque([1]), Fraction(1, 3), Counter("aab"), bytearray(b"x")
)";
  const RunResult result = python_tests(source, R"(
from fractions import Fraction
assert kinds() == (None, True, -1, 2**200, 0.1, float("inf"), "ü\ud800", b"\xff", [1, (2,)], {3}, {(1, 2): [4]})
assert type(kinds()[1]) is bool and type(kinds()[8][1]) is tuple
assert rest() == (frozenset({1}), 1 + 2j, range(3), __import__("collections").deque([1]), Fraction(1, 3), {"a": 2, "b": 1}, bytearray(b"x"))
assert same(kinds()) == kinds()
nan = same(float("nan"))
assert nan != nan and str(same(-0.0)) == "-0.0"
)");
  EXPECT_EQ(result.verdict, Verdict::kPass) << result.why;
}

TEST_P(SandboxTest, ReachesObjectsOfTheCandidate) {
  const std::string source = R"(
class Empty(ValueError): pass
class Stack:
  def __init__(self, items=()): self.items = list(items)
  def push(self, item): self.items.append(item)
  def pop(self):
    if not self.items: raise Empty("nothing left")
    return self.items.pop()
  def __len__(self): return len(self.items)
  def __eq__(self, other): return self.items == other.items
def numbers(n):
  for i in range(n): yield i
def twice(f, x): return f(f(x))
def sort_in_place(items): items.sort()
def total(node): return 0 if node is None else node.value + total(node.next)
)";
  const RunResult result = python_tests(source, R"(
stack = Stack([1])
stack.push("two")
assert len(stack) == 2 and stack.pop() == "two" and stack.items == [1]
assert Stack([1]) == stack and Stack([2]) != stack and isinstance(stack, Stack)
stack.pop()
for kind in (Empty, ValueError, Exception):
  try:
    stack.pop()
    assert False
  except kind as error:
    assert str(error) == "nothing left"
assert list(numbers(4)) == [0, 1, 2, 3]
assert twice(lambda x: x * 3, 2) == 18
items = [3, 1, 2]
sort_in_place(items)
assert items == [1, 2, 3]
class Node:
  def __init__(self, value, next=None): self.value, self.next = value, next
assert total(Node(1, Node(2))) == 3
)");
  EXPECT_EQ(result.verdict, Verdict::kPass) << result.why;
}

TEST_P(SandboxTest, SaysWhyPythonTestsFail) {
  const RunResult wrong = python_tests("def f(x): return x", "assert f(1) == 1\nassert f(2) == 3");
  EXPECT_EQ(wrong.verdict, Verdict::kWrong);
  EXPECT_THAT(wrong.why, HasSubstr("line 2: assert f(2) == 3"));
  const RunResult raised = python_tests("def f(x):\n  return 1 / x", "assert f(0) == 1");
  EXPECT_EQ(raised.verdict, Verdict::kRuntimeError);
  EXPECT_THAT(raised.why, HasSubstr("ZeroDivisionError"));
  EXPECT_THAT(raised.why, HasSubstr("line 2 of the candidate"));
  EXPECT_EQ(python_tests("x = 1", "assert f(0) == 1", "f").verdict, Verdict::kRuntimeError);
  EXPECT_EQ(python_tests("def f(x): return x", "assert f(0 ==").verdict, Verdict::kInfra);
  EXPECT_EQ(python_tests("def f(x): return x", "import no_such_module").verdict, Verdict::kInfra);
}

TEST_P(SandboxTest, TestsTrustTheirPreludeAndNotTheCandidate) {
  RunRequest request{.source = "def weigh(x): return 0\ndef f(x): return 1\n"};
  request.tests = AssertTests{.source = "def check(candidate):\n  assert weigh(candidate(0)) == 0",
                              .entry_point = "f"};
  EXPECT_EQ(run(request).verdict, Verdict::kPass);
  request.tests->prelude = "def weigh(x):\n  return x\ndef f(x):\n  pass\n";
  EXPECT_EQ(run(request).verdict, Verdict::kWrong);
}

TEST_P(SandboxTest, CompilesAndTestsCpp) {
  const std::string source =
      "#include <iostream>\nint add(int a, int b) { return a + b; }\n"
      "int main() { std::cout << add(1, 2); return 9; }\n";
  const std::string declared = "#include <cassert>\nint add(int, int);\n";
  const std::string body = "int main() { assert(add(1, 2) == 3); assert(add(2, 2) == ";
  const RunResult right = cpp_tests(source, declared + body + "4); }");
  EXPECT_EQ(right.verdict, Verdict::kPass) << right.why;
  const RunResult wrong = cpp_tests(source, declared + body + "5); }");
  EXPECT_EQ(wrong.verdict, Verdict::kWrong);
  EXPECT_THAT(wrong.why, HasSubstr("add(2, 2) == 5"));
  const RunResult below =
      cpp_tests(source, "#undef NDEBUG\n#include <assert.h>\n" + body + "4); }");
  EXPECT_EQ(below.verdict, Verdict::kPass) << below.why;
  EXPECT_EQ(cpp_tests("int add(int a) { return a; }", declared + body + "4); }").verdict,
            Verdict::kCompileError);
  EXPECT_EQ(
      cpp_tests("#include <cstdlib>\nint add(int, int) { exit(0); }", declared + body + "4); }")
          .verdict,
      Verdict::kRuntimeError);
}

TEST_P(SandboxTest, RunsOneCppProgramOnManyCases) {
  RunRequest request{.language = Language::kCpp,
                     .source =
                         "#include <cstdio>\nint main() { int n; if (std::scanf(\"%d\", &n) == "
                         "1) std::printf(\"%.6f\\n\", n / 3.0); }"};
  request.cases = {{"1", "0.333333"}, {"2", "0.666667"}, {"2", "0.66667"}};
  EXPECT_EQ(run(request).failed_case, 2);
  request.tolerance = 1e-4;
  EXPECT_EQ(run(request).verdict, Verdict::kPass);
}

TEST_P(SandboxTest, GivesTheSameVerdictsFromManyThreads) {
  std::vector<Verdict> verdicts(24);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < verdicts.size(); i += 8)
        verdicts[i] =
            python_tests("def f(x): return x % 2", "assert f(" + std::to_string(i) + ") == 0")
                .verdict;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < verdicts.size(); ++i)
    EXPECT_EQ(verdicts[i], i % 2 == 0 ? Verdict::kPass : Verdict::kWrong) << i;
  EXPECT_TRUE(sandbox_->processes_left().empty());
}

TEST_P(SandboxTest, LeavesNoFiles) {
  const testing::TempFolder folder;
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TMPDIR", folder.path().c_str(), 1);
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  const RunResult result =
      run({.source = "import os\nos.makedirs('a/b')\nopen('a/b/c', 'w')\nos.mkdir('d', 0o300)\n"
                     "os.mkdir('d/e')\nopen('d/f', 'w')\nos.symlink('/', 'g')\n"});
  if (before == nullptr) {
    unsetenv("TMPDIR");
  } else {
    setenv("TMPDIR", kept.c_str(), 1);
  }
  EXPECT_EQ(result.verdict, Verdict::kPass) << result.why;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_P(SandboxTest, PassesItsQuickSelfTest) {
  const SelfTestReport report = self_test(*sandbox_, {.quick = true, .progress = {}});
  for (const SelfTestItem& item : report.items)
    EXPECT_TRUE(item.ok) << item.name << ": " << verdict_name(item.verdict) << " " << item.why;
  EXPECT_THAT(report.leaks, ::testing::IsEmpty());
  EXPECT_TRUE(report.passed()) << report.summary();
}

TEST(SandboxRefusal, RunsNothingUnprotectedUnlessAsked) {
  const auto refused = Sandbox::create({.strongest = SandboxLevel::kNone});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().what, StartsWith(std::string(kNoSandbox)));
  const auto asked = sandbox_at(SandboxLevel::kNone);
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked.value().level(), SandboxLevel::kNone);
  EXPECT_EQ(asked.value().run({.source = "print(1)"}).out, "1\n");
}

TEST(SandboxRefusal, FailsOfOursAreNoVerdictsOnTheProgram) {
  const auto sandbox = Sandbox::create({.strongest = SandboxLevel::kNone,
                                        .allow_unconfined = true,
                                        .python = "/no/such/python",
                                        .compiler = "/no/such/compiler"});
  ASSERT_TRUE(sandbox.ok());
  EXPECT_EQ(sandbox.value().run({.source = "print(1)"}).verdict, Verdict::kInfra);
  EXPECT_EQ(sandbox.value().run({.language = Language::kCpp, .source = "int main() {}"}).verdict,
            Verdict::kInfra);
}

TEST(SelfTest, FailsWithoutSandboxOrWithABrokenOne) {
  const auto none = Sandbox::create({.strongest = SandboxLevel::kNone, .allow_unconfined = true});
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(self_test(none.value(), {.quick = true, .progress = {}}).passed());
  const auto broken = Sandbox::create({.python = "/bin/true"});
  if (!broken.ok()) GTEST_SKIP() << broken.error().message();
  EXPECT_FALSE(self_test(broken.value(), {.quick = true, .progress = {}}).passed());
}

TEST(SelfTest, StopsWhenAsked) {
  const auto sandbox =
      Sandbox::create({.strongest = SandboxLevel::kNone, .allow_unconfined = true});
  ASSERT_TRUE(sandbox.ok());
  const auto report = self_test(
      sandbox.value(), {.quick = true, .progress = [](const ProgressReport&) { return false; }});
  EXPECT_FALSE(report.complete);
  EXPECT_FALSE(report.passed());
}

TEST(OutputDifference, ForgivesSpacesAtTheEndsOnly) {
  EXPECT_FALSE(output_difference("1\n2\n", "1  \r\n2\n\n\n", 0));
  EXPECT_FALSE(output_difference("", "\n \n", 0));
  EXPECT_FALSE(output_difference("\n1", "\n1\n", 0));
  EXPECT_TRUE(output_difference("1\n2", "1 2", 0));
  EXPECT_TRUE(output_difference("1 2", "1  2", 0));
  EXPECT_TRUE(output_difference("1", " 1", 0));
  EXPECT_TRUE(output_difference("1", "", 0));
  EXPECT_TRUE(output_difference("", "1", 0));
  EXPECT_THAT(*output_difference("a\nb", "a\nc", 0),
              HasSubstr("line 2: expected \"b\", got \"c\""));
}

TEST(OutputDifference, ComparesNumbersWithinATolerance) {
  EXPECT_TRUE(output_difference("0.5", "0.50", 0));
  EXPECT_FALSE(output_difference("0.5 x", "+0.50  x", 1e-9));
  EXPECT_FALSE(output_difference("1000000", "1000001", 1e-5));
  EXPECT_TRUE(output_difference("1000000", "1000101", 1e-5));
  EXPECT_TRUE(output_difference("1 2", "1", 1e-5));
  EXPECT_TRUE(output_difference("1", "nan", 1));
  EXPECT_TRUE(output_difference("x", "y", 1));
}

}  // namespace
}  // namespace ponder
