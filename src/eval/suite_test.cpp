// Files of suites, as their authors write them and as nobody should.
#include "eval/suite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>

#include "eval/records.hpp"
#include "eval/suite_library.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

std::filesystem::path folder() {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  const auto path =
      std::filesystem::path(::testing::TempDir()) / (std::string("ponder-suite-") + info->name());
  std::filesystem::create_directories(path);
  return path;
}

std::filesystem::path file_of(const std::string& text, const std::string& name = "suite.jsonl") {
  const auto path = folder() / name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string deflated(const std::string& text, int window) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
constexpr int kGzip = 15 + 16, kZlib = 15;

std::string error_of(const std::string& text, const std::string& format = "") {
  const auto suite = read_suite(file_of(text), format, "s");
  return suite.ok() ? "" : suite.error().message();
}

TEST(Suites, HumanEval) {
  const std::string line =
      R"({"task_id":"HumanEval/0","prompt":"def f(x):\n","entry_point":"f","canonical_solution":"    return x\n","test":"def check(candidate):\n    assert candidate(1) == 1\n"})";
  for (const std::string& text : {line + "\n", deflated(line + "\n\n", kGzip)}) {
    const Suite suite = read_suite(file_of(text), "", "he").value();
    EXPECT_EQ(suite.format, "humaneval");
    EXPECT_FALSE(suite.warning.empty());
    ASSERT_EQ(suite.problems.size(), 1u);
    const Problem& problem = suite.problems[0];
    EXPECT_EQ(problem.id, "HumanEval/0");
    EXPECT_EQ(problem.task, "code");
    EXPECT_EQ(problem.extra["entry_point"], "f");
    EXPECT_EQ(problem.extra["solution"], "def f(x):\n    return x\n");
    EXPECT_THAT(question_text(suite, problem), HasSubstr("```python\ndef f(x):\n"));
  }
}

TEST(Suites, HumanEvalPlusHasItsSolutionForAReference) {
  const Suite suite =
      read_suite(
          file_of(
              R"({"task_id":"HumanEval/0","prompt":"def f(x):\n","entry_point":"f","canonical_solution":"    return x\n","base_input":[[1]],"plus_input":[["a\"b\\"],[2.5]],"atol":0.001})"),
          "", "he+")
          .value();
  const std::string tests = suite.problems[0].extra["tests"];
  EXPECT_THAT(tests, HasSubstr("def check(candidate):"));
  EXPECT_THAT(tests, HasSubstr("0.001"));
}

TEST(Suites, Mbpp) {
  const Suite suite =
      read_suite(
          file_of(
              R"({"task_id":11,"text":"Write a function.","code":"def g(a): return a","test_list":["assert set(g(1)) == 2","assert g(2) == 3"],"test_setup_code":"import math","challenge_test_list":["assert g(3)==4"]})"),
          "", "mbpp")
          .value();
  const Problem& problem = suite.problems[0];
  EXPECT_EQ(problem.id, "MBPP/11");
  EXPECT_EQ(problem.extra["entry_point"], "g");
  EXPECT_THAT(problem.prompt, HasSubstr("assert g(2) == 3"));
  EXPECT_EQ(problem.prompt.find("g(3)"), std::string::npos);
  EXPECT_THAT(problem.extra["tests"].get<std::string>(), HasSubstr("import math"));
  EXPECT_THAT(problem.extra["tests"].get<std::string>(), HasSubstr("g(3)"));
}

std::string base64(const std::string& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0u);
    for (size_t j = 0; j < 4; ++j)
      out += i + j > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * j) & 63];
  }
  return out;
}

TEST(Suites, LiveCodeBench) {
  const std::string cases = R"([{"input":"1\n","output":"2\n","testtype":"stdin"}])";
  std::string pickled = "\x80\x04\x95";
  pickled += std::string("\x40\0\0\0\0\0\0\0", 8) + "\x8c" + static_cast<char>(cases.size()) +
             cases + "\x94.";
  const Json record = {{"question_id", "abc_a"},
                       {"question_content", "Add one."},
                       {"difficulty", "medium"},
                       {"starter_code", ""},
                       {"contest_date", "2024-01-01T00:00:00"},
                       {"public_test_cases", cases},
                       {"private_test_cases", base64(deflated(pickled, kZlib))}};
  const Suite suite = read_suite(file_of(record.dump()), "", "lcb").value();
  EXPECT_EQ(suite.format, "livecodebench");
  const Problem& problem = suite.problems[0];
  EXPECT_EQ(problem.level, 1);
  ASSERT_EQ(problem.extra["io"].size(), 2u);
  EXPECT_EQ(problem.extra["io"][1]["stdout"], "2\n");
  Json called = record;
  called["starter_code"] = "class Solution:\n    def add(self, a, b):\n";
  called["metadata"] = R"({"func_name":"add"})";
  called["public_test_cases"] = R"([{"input":"1\n[2]","output":"[3]","testtype":"functional"}])";
  called["private_test_cases"] = "[]";
  const Suite other = read_suite(file_of(called.dump()), "", "lcb").value();
  EXPECT_THAT(other.problems[0].extra["tests"].get<std::string>(),
              HasSubstr("Solution().add(*_json.loads(\"[1,[2]]\")"));
}

TEST(Suites, Mathematics) {
  const Suite gsm =
      read_suite(file_of(R"({"question":"2+2?","answer":"Two and two.\n#### 1,234"})"), "", "gsm")
          .value();
  EXPECT_EQ(gsm.format, "maths");
  EXPECT_EQ(gsm.problems[0].answer, "1,234");
  EXPECT_THAT(question_text(gsm, gsm.problems[0]), HasSubstr("\\boxed{}"));
  const Suite math =
      read_suite(
          file_of(
              R"([{"problem":"P","level":"Level 4","type":"Algebra","solution":"so \\boxed{1} or \\boxed{\\frac{1}{2}}."}])",
              "m.json"),
          "", "math")
          .value();
  EXPECT_EQ(math.problems[0].answer, "\\frac{1}{2}");
  EXPECT_EQ(math.problems[0].level, 4);
  EXPECT_EQ(math.problems[0].id, "1");
  const Suite aime =
      read_suite(file_of(R"({"ID":"2024-I-1","Problem":"P","Solution":"S","Answer":204})"), "", "a")
          .value();
  EXPECT_EQ(aime.problems[0].answer, "204");
  EXPECT_EQ(aime.problems[0].id, "2024-I-1");
}

TEST(Suites, Choices) {
  const std::string csv =
      "Record ID,Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3\n"
      "r1,\"Which, of \"\"these\"\"?\nAll?\",right,w1,w2,w3\r\n";
  const Suite gpqa = read_suite(file_of(csv, "g.csv"), "", "gpqa").value();
  const Problem& problem = gpqa.problems[0];
  EXPECT_EQ(problem.id, "r1");
  EXPECT_THAT(problem.prompt, HasSubstr("Which, of \"these\"?\nAll?"));
  const auto right = static_cast<size_t>(problem.answer[0] - 'A');
  EXPECT_EQ(problem.extra["choices"][right], "right");
  EXPECT_THAT(problem.prompt, HasSubstr(problem.answer + ") right"));
  const Suite listed =
      read_suite(file_of(R"({"question":"Q","choices":["a","b"],"answer":1})"), "", "c").value();
  EXPECT_EQ(listed.problems[0].answer, "B");
  EXPECT_EQ(read_suite(file_of(R"({"question":"Q","options":["a","b","c"],"answer":"C"})"), "", "c")
                .value()
                .problems[0]
                .answer,
            "C");
}

TEST(Suites, ChoicesAreShuffledButAlwaysAlike) {
  std::string csv =
      "Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3\n";
  for (int i = 0; i < 200; ++i) csv += "question " + std::to_string(i) + ",r,x,y,z\n";
  const Suite first = read_suite(file_of(csv), "", "g").value();
  const Suite again = read_suite(file_of(csv), "", "g").value();
  std::map<std::string, int> letters;
  for (size_t i = 0; i < first.problems.size(); ++i) {
    ++letters[first.problems[i].answer];
    EXPECT_EQ(first.problems[i].prompt, again.problems[i].prompt);
  }
  ASSERT_EQ(letters.size(), 4u);
  for (const auto& [letter, count] : letters) EXPECT_GT(count, 25) << letter;
}

TEST(Suites, BrokenFilesSayWhere) {
  EXPECT_THAT(error_of(""), HasSubstr("is empty"));
  EXPECT_THAT(error_of("[]"), HasSubstr("no records"));
  EXPECT_THAT(error_of("{\"a\":1}\n"), HasSubstr("fit no format"));
  EXPECT_THAT(error_of("{\"question\":\"q\",\"answer\":\"1\"}\n{\"question\":\n"),
              HasSubstr("line 2"));
  EXPECT_THAT(error_of("{\"question\":\"q\",\"answer\":\"1\"}\n{\"answer\":\"1\"}\n"),
              HasSubstr("record 2"));
  EXPECT_THAT(error_of("{\"id\":1,\"question\":\"q\",\"answer\":\"1\"}\n"
                       "{\"id\":1,\"question\":\"r\",\"answer\":\"1\"}\n"),
              HasSubstr("second problem"));
  EXPECT_THAT(error_of(R"({"question":"q","choices":["a"],"answer":0})"), HasSubstr("2 to 26"));
  EXPECT_THAT(error_of(R"({"question":"q","choices":["a","b"],"answer":7})"), HasSubstr("letter"));
  EXPECT_THAT(error_of(R"({"question":"q","choices":["a",1],"answer":0})"), HasSubstr("texts"));
  EXPECT_THAT(
      error_of(R"({"task_id":"x","prompt":"p","entry_point":"f); import os; (","test":"t"})"),
      HasSubstr("no name of a function"));
  EXPECT_THAT(error_of(R"({"task_id":"x","prompt":"p","entry_point":"f","plus_input":[1]})"),
              HasSubstr("list of arguments"));
  EXPECT_THAT(error_of(R"({"id":"x","prompt":"p","language":"perl","tests":"t"})"),
              HasSubstr("python or cpp"));
  EXPECT_THAT(error_of("a,b\n\"1,2\n"), HasSubstr("not closed"));
  EXPECT_THAT(error_of("a,b\n1,2,3\n"), HasSubstr("3 fields"));
  EXPECT_THAT(error_of("\x1f\x8b\x08junkjunkjunk"), HasSubstr("broken"));
  EXPECT_THAT(error_of(R"({"question":"q","answer":"1"})", "nonsense"), HasSubstr("--format"));
  EXPECT_THAT(error_of(std::string(100'000, '[')), HasSubstr("deep"));
}

TEST(Records, InflateIsBounded) {
  const std::string bomb = deflated(std::string(10 << 20, 'a'), kGzip);
  EXPECT_LT(bomb.size(), 20'000u);
  const auto bounded = inflate(bomb, 1 << 20, "f");
  ASSERT_FALSE(bounded.ok());
  EXPECT_THAT(bounded.error().message(), HasSubstr("larger than"));
  EXPECT_EQ(inflate(bomb, 11 << 20, "f").value().size(), size_t{10} << 20);
  EXPECT_FALSE(inflate(bomb.substr(0, bomb.size() / 2), 11 << 20, "f").ok());
  const std::string two = deflated("one ", kGzip) + deflated("two", kGzip);
  EXPECT_EQ(inflate(two, 100, "f").value(), "one two");
}

TEST(Records, Base64AndPicklesAreChecked) {
  EXPECT_EQ(decode_base64("aGk=", "f").value(), "hi");
  EXPECT_EQ(decode_base64("aGlv\n", "f").value(), "hio");
  for (const char* text : {"aGk", "a", "aG=k", "a===", "a*bc", "aGk=aGk="})
    EXPECT_FALSE(decode_base64(text, "f").ok()) << text;
  EXPECT_EQ(pickled_text(std::string("\x80\x03X\x02\0\0\0hiq\0.", 12), "f").value(), "hi");
  const std::string system("cos\nsystem\n(S'true'\ntR.");
  EXPECT_FALSE(pickled_text(system, "f").ok());
  EXPECT_FALSE(pickled_text(std::string("\x80\x03X\xff\xff\xff\xffhi.", 10), "f").ok());
  for (size_t size = 0; size < 12; ++size)
    EXPECT_FALSE(
        pickled_text(std::string("\x80\x03X\x02\0\0\0hiq\0.", 12).substr(0, size), "f").ok());
}

TEST(Library, KeepsWhatWasAdded) {
  const auto where = folder() / "library";
  std::filesystem::remove_all(where);
  const SuiteLibrary library(where);
  const auto file =
      file_of("{\"question\":\"a\",\"answer\":\"1\"}\n{\"question\":\"b\",\"answer\":\"2\"}\n");
  ASSERT_TRUE(library.add("mine", file, "").ok());
  EXPECT_FALSE(library.add("mine", file, "").ok());
  EXPECT_FALSE(library.add("../escape", file, "").ok());
  EXPECT_FALSE(library.add("arithmetic", file, "").ok());
  EXPECT_EQ(library.names(), std::vector<std::string>{"mine"});
  std::filesystem::remove(file);
  EXPECT_EQ(library.find("mine", "", 0).value().problems.size(), 2u);
  const Suite cut = library.find("mine", "", 1).value();
  EXPECT_EQ(cut.problems.size(), 1u);
  EXPECT_THAT(cut.origin, HasSubstr("the first 1 of 2"));
  std::ofstream(where / "mine" / "data", std::ios::app)
      << "{\"question\":\"c\",\"answer\":\"3\"}\n";
  EXPECT_FALSE(library.find("mine", "", 0).ok());
  EXPECT_FALSE(library.find("nobody", "", 0).ok());
}

TEST(Generated, ProblemsAreAlwaysTheSame) {
  for (const std::string& name : generated_suites()) {
    const Suite suite = generate_suite(name, 20).value(), again = generate_suite(name, 0).value();
    ASSERT_EQ(suite.problems.size(), 20u);
    for (size_t i = 0; i < 20; ++i) {
      EXPECT_EQ(suite.problems[i].prompt, again.problems[i].prompt);
      EXPECT_EQ(suite.problems[i].task, name);
    }
  }
  EXPECT_EQ(generated_suites().size(), 4u);
}

}  // namespace
}  // namespace ponder
