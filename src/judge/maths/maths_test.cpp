#include "judge/maths/maths.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include "base/file.hpp"
#include "judge/maths/parser.hpp"

namespace ponder {
namespace {

struct Pair {
  std::string verdict, expected, answer;
};

// Lines of: verdict, tab, expected, tab, answer.
std::vector<Pair> golden_pairs() {
  std::string text = read_file("tests/golden/judge/maths_pairs.txt", 1 << 20).take_value();
  std::vector<Pair> pairs;
  for (size_t start = 0, end; (end = text.find('\n', start)) != std::string::npos;
       start = end + 1) {
    const std::string line = text.substr(start, end - start);
    if (line.empty() || line[0] == '#') continue;
    const size_t first = line.find('\t'), second = line.find('\t', first + 1);
    EXPECT_NE(second, std::string::npos) << line;
    pairs.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1),
                     line.substr(second + 1)});
  }
  return pairs;
}

std::string verdict(std::string_view expected, std::string_view answer) {
  return std::string(equality_name(compare_maths(expected, answer)));
}

TEST(Maths, GoldenPairs) {
  std::map<std::string, int> count;
  for (const Pair& pair : golden_pairs()) {
    ++count[pair.verdict];
    EXPECT_EQ(verdict(pair.expected, pair.answer), pair.verdict)
        << pair.expected << "   " << pair.answer;
    EXPECT_EQ(verdict(pair.answer, pair.expected), pair.verdict)
        << "the other way round: " << pair.answer << "   " << pair.expected;
    EXPECT_EQ(verdict(pair.expected, pair.expected), "equal") << pair.expected;
  }
  EXPECT_GE(count["equal"] + count["unequal"] + count["undecided"], 400);
  EXPECT_GE(count["equal"], 150);
  EXPECT_GE(count["unequal"], 100);
  EXPECT_GE(count["undecided"], 20);
}

TEST(Maths, ThreadsAgree) {
  const std::vector<Pair> pairs = golden_pairs();
  std::atomic<int> disagree = 0;
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < 16; ++thread)
    threads.emplace_back([&, thread] {
      for (size_t i = 0; i < pairs.size(); ++i) {
        const Pair& pair = pairs[(i + 37 * thread) % pairs.size()];
        disagree += verdict(pair.expected, pair.answer) != pair.verdict;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(disagree, 0);
}

TEST(Maths, UnitsCountWhereAsked) {
  const MathsOptions strict{.ignore_missing_units = false};
  EXPECT_EQ(compare_maths("5 cm", "5"), Equality::kEqual);
  EXPECT_EQ(compare_maths("5 cm", "5", strict), Equality::kUnequal);
  EXPECT_EQ(compare_maths("5 cm", "0.05 m", strict), Equality::kEqual);
  EXPECT_EQ(compare_maths("50%", "50", strict), Equality::kUnequal);
  EXPECT_EQ(compare_maths("50%", "0.5", strict), Equality::kEqual);
}

std::string repeated(std::string_view piece, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += piece;
  return text;
}

// Ends soon, and never claims that such a thing is 1.
TEST(Maths, HostileAnswers) {
  std::vector<std::string> hostile;
  for (const std::string_view piece : {"(",
                                       "{",
                                       "[",
                                       "\\{",
                                       "|",
                                       "-",
                                       "!",
                                       "^",
                                       "9^",
                                       "\\sqrt",
                                       "\\frac",
                                       "\\frac{",
                                       "1/",
                                       "x_",
                                       "\\text{",
                                       "1,",
                                       "±",
                                       "\\cup",
                                       "\\begin{pmatrix}",
                                       "\\sin",
                                       "1+",
                                       "2*",
                                       "x^2+",
                                       "(1,",
                                       "\\sum_{",
                                       "\\left(",
                                       "a=",
                                       "1<",
                                       "\xff",
                                       "½",
                                       "\\pm1,",
                                       "99999",
                                       "a ",
                                       "\\sqrt{2+",
                                       "e^",
                                       "\\cos(",
                                       "1:",
                                       "\\binom{"})
    for (const size_t bytes : {100, 1900, 4000, 1'000'000})
      hostile.push_back(repeated(piece, bytes));
  for (const char* tower : {"9^9^9^9",
                            "9^{9^{9^9}}",
                            "(9^9)!",
                            "99999!",
                            "5000!!",
                            "2^{65536}",
                            "2^{1000000}",
                            "10^{-1000000}",
                            "1e999999999",
                            "e^{e^{e^e}}",
                            "\\sqrt[1000]{2^{60000}}",
                            "(1+x)^{5000}",
                            "(x+y)^{1000}-(x-y)^{1000}",
                            "\\sum_{k=1}^{1000}\\sum_{j=1}^{1000}\\sum_{i=1}^{1000} ijk",
                            "\\binom{5000}{2500}^{100}",
                            "1/(10^{60000}-1)!",
                            "\\sin(10^{300})",
                            "\\log_{1}(2)",
                            "0^0",
                            "1/0",
                            "\\sqrt{-1}^{\\sqrt{-1}}",
                            "\\gcd(2^{60000},3^{30000})",
                            "\\pm\\pm\\pm\\pm\\pm\\pm 1",
                            "1 1e5 1e5 1e5",
                            "0.\\overline{142857142857142857}"})
    hostile.push_back(tower);
  hostile.push_back(repeated("(", 100) + "1" + repeated(")", 100));
  hostile.push_back("\\sqrt{" + repeated("\\sqrt{2+", 1000) + repeated("}", 1000));
  for (const std::string& text : hostile) {
    EXPECT_NE(verdict("1", text), "equal") << text.substr(0, 60);
    EXPECT_NE(verdict("x^2+1", text), "equal") << text.substr(0, 60);
    compare_maths(text, text + " ");
    compare_maths(text, "1+" + text);
  }
}

TEST(Maths, EmptyAnswers) {
  EXPECT_EQ(verdict("1", ""), "unequal");
  EXPECT_EQ(verdict("", "1"), "unequal");
  EXPECT_EQ(verdict("", ""), "undecided");
}

}  // namespace
}  // namespace ponder
