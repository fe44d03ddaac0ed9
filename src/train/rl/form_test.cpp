#include "train/rl/form.hpp"

#include <gtest/gtest.h>

namespace ponder {
namespace {

bool full(std::string_view text, bool inside = false) {
  return has_form(text, FormKind::kThinkAnswer, inside);
}

TEST(Form, ThinkAndAnswer) {
  EXPECT_TRUE(full("<think>1+1=2</think><answer>2</answer>"));
  EXPECT_TRUE(full(" <think>\nwell\n</think>\n\n<answer> 2 </answer>\n"));
  EXPECT_TRUE(full("well</think><answer>2</answer>", true));
  for (const char* wrong :
       {"", "2", "<answer>2</answer>", "<think>x</think>2", "<think></think><answer>2</answer>",
        "<think>x</think><answer> </answer>", "<think>x</think><answer>2</answer> so",
        "so <think>x</think><answer>2</answer>", "<think>x</think> so <answer>2</answer>",
        "<think>x<think>y</think><answer>2</answer>",
        "<think>x</think><answer>2</answer><answer>3</answer>",
        "<think>x</think></think><answer>2</answer>", "<think>x</think><answer>2<think></answer>",
        "<think>x</think><answer>2", "<think>x<answer>2</answer></think>",
        "<answer>2</answer><think>x</think>"})
    EXPECT_FALSE(full(wrong)) << wrong;
  EXPECT_FALSE(full("<think>x</think><answer>2</answer>", true));
}

TEST(Form, ThinkOnly) {
  EXPECT_TRUE(has_form("<think>x</think> The answer is 2.", FormKind::kThink, false));
  EXPECT_TRUE(has_form("x</think>2", FormKind::kThink, true));
  EXPECT_FALSE(has_form("<think>x</think> \n", FormKind::kThink, false));
  EXPECT_FALSE(has_form("2", FormKind::kThink, false));
  EXPECT_TRUE(has_form("", FormKind::kAny, false));
  EXPECT_FALSE(form_kind_by_name("thoughts").ok());
}

TEST(Form, Thoughts) {
  EXPECT_EQ(thoughts_of("<think>a b</think>c", false), "a b");
  EXPECT_EQ(thoughts_of("a</think>c", true), "a");
  EXPECT_EQ(thoughts_of("<think>never closed", false), "never closed");
  EXPECT_EQ(thoughts_of("no thoughts", false), "");
}

TEST(Language, ShareOfWords) {
  EXPECT_EQ(language_share("So we get two and two.", "en"), 1.0);
  EXPECT_EQ(language_share("所以 we get", "en"), 0.5);  // two characters, two words
  EXPECT_EQ(language_share("所以得到二", "zh"), 1.0);
  EXPECT_EQ(language_share("そう、二です", "ja"), 1.0);
  EXPECT_EQ(language_share("Это верно", "ru"), 1.0);
  EXPECT_EQ(language_share("Это right", "ru"), 0.5);
  EXPECT_EQ(language_share("맞아요", "ko"), 1.0);
  EXPECT_EQ(language_share("ναι", "el"), 1.0);
  EXPECT_EQ(language_share("1 + 1 = 2", "en"), 1.0);
  EXPECT_EQ(language_share("", "zh"), 1.0);
  EXPECT_EQ(language_share("caf\xff\xfe yes", "en"), 1.0);  // not UTF-8
  EXPECT_EQ(language_share("naïve", "en"), 1.0);
  EXPECT_EQ(language_share("abс", "en"), 0.5);  // the last letter is Cyrillic: two words
}

TEST(Language, Names) {
  EXPECT_TRUE(knows_language("de"));
  EXPECT_FALSE(knows_language("tlh"));
}

}  // namespace
}  // namespace ponder
