#include "judge/extract.hpp"

#include <gtest/gtest.h>

#include "judge/format.hpp"

namespace ponder {
namespace {

std::string answer(std::string_view text) {
  const ExtractedAnswer found = extract_answer(text);
  if (!found.found()) return found.unfinished ? "(unfinished)" : "(none)";
  return found.text;
}

TEST(Extract, ThoughtsAreNotGraded) {
  EXPECT_EQ(answer("<think>maybe \\boxed{1}</think>It is \\boxed{2}."), "2");
  EXPECT_EQ(answer("maybe \\boxed{1}</think>It is \\boxed{2}."), "2");  // the prompt opened them
  EXPECT_EQ(answer("<think>\\boxed{1}</think>"), "(none)");
  EXPECT_EQ(answer("<think>I think \\boxed{1}"), "(unfinished)");
  EXPECT_EQ(answer("<think>a</think>\\boxed{3}<think>\\boxed{4}</think>"), "3");
  EXPECT_EQ(without_thoughts("<think>a</think>b<think>c</think>d").text, "bd");
  EXPECT_TRUE(without_thoughts("a</think>b<think>c").cut_in_thought);
}

TEST(Extract, Boxes) {
  EXPECT_EQ(answer("\\[ \\boxed{\\frac{1}{2}} \\]"), "\\frac{1}{2}");
  EXPECT_EQ(answer("\\[\n\\boxed{ 7 }\n\\]"), "7");
  EXPECT_EQ(answer("First \\boxed{1}, no: \\boxed{2}"), "2");
  EXPECT_EQ(answer("\\boxed{\\{1,2\\}}"), "\\{1,2\\}");
  EXPECT_EQ(answer("\\fbox{9}"), "9");
  EXPECT_EQ(answer("so \\boxed 5"), "5");
  EXPECT_EQ(answer("so \\boxed{\\text{a \\boxed{3}}}"), "3");
  EXPECT_EQ(answer("\\boxed{5}. Mark your solution with \\boxed "), "5");
  EXPECT_EQ(answer("\\boxed{5}. It must be in \\boxed{}."), "5");
  EXPECT_EQ(answer("\\boxed{5}. The \\boxed command, \\boxedx{6}"), "5");
  EXPECT_EQ(answer("a { b \\boxed{5}"), "5");  // a brace that never closes elsewhere
  EXPECT_EQ(answer("long text\nMark your solution with \\boxed "), "(none)");
  EXPECT_EQ(answer("and so\n\\boxed{\\frac{1}{2"), "(unfinished)");
  EXPECT_TRUE(extract_answer("\\boxed{5} but \\boxed{6").unfinished);
  EXPECT_FALSE(extract_answer("\\boxed{5 but \\boxed{6}").unfinished);
}

TEST(Extract, TagsAndPhrases) {
  EXPECT_EQ(answer("<answer> 12 </answer>"), "12");
  EXPECT_EQ(answer("<answer>1</answer> <answer>2</answer>"), "2");
  EXPECT_EQ(answer("<answer>It is \\boxed{3}</answer>"), "3");
  EXPECT_EQ(answer("\\boxed{4}\n<answer>3</answer>"), "3");
  EXPECT_EQ(answer("Thus the answer is 42. That was\neasy."), "42");
  EXPECT_EQ(answer("The answer is $x = 4$.\n"), "$x = 4$");
  EXPECT_EQ(answer("Steps.\n**Answer:** 3.5"), "3.5");
  EXPECT_EQ(answer("She has 3*4=12.\n#### 12"), "12");
  EXPECT_EQ(answer("the answer is 3.14"), "3.14");
  EXPECT_EQ(answer("  17  "), "17");
  EXPECT_EQ(answer("a long\ntext without an answer"), "(none)");
  EXPECT_EQ(answer(""), "(none)");
  EXPECT_EQ(answer("<answer></answer>"), "(none)");
  EXPECT_EQ(answer("\\boxed{3} <answer></answer>"), "3");
  EXPECT_TRUE(extract_answer("<answer>12").unfinished);
}

TEST(Extract, Choices) {
  const auto choice = [](std::string_view text) { return extract_choice(text, 4).value_or('-'); };
  for (const std::string_view b :
       {"B", "(b)", "B. Paris", "**Answer: B**", "The answer is (B).", "\\boxed{B}",
        "\\boxed{\\text{(B)}}", "It is so.\n\nB", "$B$", "Reasons.\nAnswer: Option B",
        "<think>A</think>\nB)", "B because"})
    EXPECT_EQ(choice(b), 'B') << b;
  for (const std::string_view none : {"E", "a dog", "Berlin", "", "I do not know", "<think>B"})
    EXPECT_EQ(choice(none), '-') << none;
}

TEST(Extract, Code) {
  const auto python = [](std::string_view text, std::string_view name = "") {
    return extract_code(text, "python", name).code;
  };
  EXPECT_EQ(python("Draft:\n```python\na\n```\nbetter:\n```python\nb\n```"), "b\n");
  EXPECT_EQ(python("```python\ndef f(): 1\n```\nUse:\n```python\nprint(2)\n```", "def f"),
            "def f(): 1\n");
  EXPECT_EQ(python("```py\na\n```\nIt prints\n```\n3\n```"), "a\n");
  EXPECT_EQ(python("```\na\n```"), "a\n");
  EXPECT_EQ(python("a = 1"), "a = 1");
  EXPECT_EQ(python("````python\n```\nx\n```\n````"), "```\nx\n```\n");
  EXPECT_EQ(python("<think>```python\nno\n```</think>```python\nyes\n```"), "yes\n");
  EXPECT_EQ(python("```markdown\n```python\na\n```\n```"), "a\n");
  EXPECT_EQ(python("```markdown\n```python\na\n```"), "a\n");
  EXPECT_FALSE(extract_code("```cpp\nint a;\n```", "python").found);
  EXPECT_EQ(extract_code("```c++\nint a;\n```", "cpp").code, "int a;\n");
  const ExtractedCode cut = extract_code("```python\na\nb", "python");
  EXPECT_EQ(cut.code, "a\nb");
  EXPECT_TRUE(cut.unfinished);
  EXPECT_FALSE(extract_code("", "python").found);
}

// Linear, whatever it is: a quadratic search would take hours.
TEST(Extract, HostileTexts) {
  for (const std::string_view piece :
       {"\\boxed{", "\\boxed", "{", "<answer>", "<think>", "</think>", "```\n", "the answer is ",
        "####", "answer:\n", "\\boxed{}", "A\n", "* "}) {
    std::string text;
    while (text.size() < 1'000'000) text += piece;
    extract_answer(text);
    extract_choice(text, 4);
    extract_code(text, "python", "def f");
    form_objection(text);
  }
}

TEST(Format, ThoughtsThenAnswer) {
  EXPECT_EQ(form_objection("<think>a</think>\n<answer>b</answer>\n"), "");
  EXPECT_EQ(form_objection("a</think><answer>b</answer>", {.prompt_opens_think = true}), "");
  EXPECT_EQ(form_objection("<think>a</think>b", {.answer_tags = false}), "");
  for (const std::string_view bad :
       {"", "b", "<answer>b</answer>", "<think>a</think>", "<think>a</think>b",
        "<think></think><answer>b</answer>", "<think>a</think><answer> </answer>",
        "x<think>a</think><answer>b</answer>", "<think>a</think>x<answer>b</answer>",
        "<think>a</think><answer>b</answer>x", "<think>a<think>a</think><answer>b</answer>",
        "<think>a<answer>b</answer></think>",
        "<think>a</think><answer>b</answer><answer>b</answer>", "<think>a</think><answer>b"})
    EXPECT_NE(form_objection(bad), "") << bad;
  EXPECT_NE(form_objection("<think>a</think>", {.answer_tags = false}), "");
  EXPECT_NE(form_objection("<think>a</think><answer>b</answer>", {.prompt_opens_think = true}), "");
}

}  // namespace
}  // namespace ponder
