#include "text/thinking.hpp"

#include <gtest/gtest.h>

#include "testing/test_tokens.hpp"

namespace ponder {
namespace {

const std::vector<std::string> kTags = {"<think>", "</think>"};
constexpr int32_t kEnd = 256;

// An answer that must be "yes" or "no", then end.
class YesOrNo : public TokenGuide {
 public:
  explicit YesOrNo(int32_t vocabulary, bool forces = false)
      : mask_((static_cast<size_t>(vocabulary) + 63) / 64), forces_(forces) {}

  std::optional<int32_t> forced() override {
    return forces_ && !finished() ? std::optional<int32_t>("yes"[said_.size()]) : std::nullopt;
  }
  std::span<const uint64_t> allowed() override {
    std::fill(mask_.begin(), mask_.end(), 0);
    for (const std::string_view word : {"yes", "no"}) {
      if (!word.starts_with(said_)) continue;
      const int32_t next = said_.size() < word.size() ? word[said_.size()] : kEnd;
      mask_[next / 64] |= uint64_t{1} << (next % 64);
    }
    return mask_;
  }
  void accept(int32_t token) override { said_ += static_cast<char>(token); }
  bool finished() const override { return said_ == "yes" || said_ == "no"; }

 private:
  std::vector<uint64_t> mask_;
  bool forces_;
  std::string said_;
};

bool allows(TokenGuide& guide, int32_t token) {
  const auto mask = guide.allowed();
  return mask.empty() || (mask[token / 64] >> (token % 64) & 1) != 0;
}

// What comes of a model that wants to say `wish`, token by token: what is forced goes first, what
// is not allowed is left out, and then it says "y", "e", "s" as far as it may.
std::string spoken(const Tokenizer& tokenizer, ThinkingGuide& guide,
                   const std::vector<std::string>& wish) {
  std::string text;
  const auto say = [&](int32_t token) {
    guide.accept(token);
    text += tokenizer.token_bytes(token);
  };
  const auto say_forced = [&] {
    for (int i = 0; i < 100 && guide.forced(); ++i) say(*guide.forced());
  };
  for (const int32_t token : tokens_of(tokenizer, wish)) {
    say_forced();
    if (guide.finished()) return text;
    if (allows(guide, token)) say(token);
  }
  say_forced();
  for (const char c : std::string_view("yes"))
    if (!guide.finished() && allows(guide, c)) say(c);
  return text;
}

struct Setting {
  bool starts_inside = true;
  bool wanted = true;
  std::optional<int64_t> budget = {};
  bool guided = false, forces = false;
};

std::string spoken(const Setting& setting, const std::vector<std::string>& wish,
                   const std::vector<std::string>& tags = kTags) {
  const Tokenizer t = tokenizer_with(tags);
  std::unique_ptr<TokenGuide> answer;
  if (setting.guided) answer = std::make_unique<YesOrNo>(t.vocab_size(), setting.forces);
  ThinkingGuide guide(t,
                      {.thoughts = {.reasons = true,
                                    .starts_inside = setting.starts_inside,
                                    .think_again = !setting.guided},
                       .wanted = setting.wanted,
                       .budget = setting.budget},
                      std::move(answer));
  return spoken(t, guide, wish);
}

TEST(ThinkingGuide, WithoutABudgetNothingHappens) {
  EXPECT_EQ(spoken({}, {"hm", "</think>", "so"}), "hm</think>soyes");
  const Tokenizer t = tokenizer_with(kTags);
  ThinkingGuide guide(t, {.thoughts = {.reasons = true, .starts_inside = true}});
  EXPECT_TRUE(guide.allowed().empty());
  EXPECT_FALSE(guide.finished());
}

TEST(ThinkingGuide, TheBudgetClosesThoughts) {
  for (const auto& tags : {kTags, std::vector<std::string>()}) {
    EXPECT_EQ(spoken({.budget = 3}, {"abcdef"}, tags), "abc\n</think>\n\ndefyes");
    EXPECT_EQ(spoken({.budget = 0}, {"ab"}, tags), "\n</think>\n\nabyes");
  }
  EXPECT_EQ(spoken({.budget = 3}, {"ab", "</think>", "defg"}), "ab</think>defgyes");
  EXPECT_EQ(spoken({.starts_inside = false, .budget = 2}, {"<think>", "abc"}),
            "<think>ab\n</think>\n\ncyes");
  EXPECT_EQ(spoken({.starts_inside = false, .budget = 2}, {"abcdef"}), "abcdefyes");
}

TEST(ThinkingGuide, TellsWhatItDid) {
  const Tokenizer t = tokenizer_with(kTags);
  ThinkingGuide guide(t, {.thoughts = {.reasons = true, .starts_inside = true}, .budget = 2});
  EXPECT_FALSE(guide.cut_short());
  EXPECT_EQ(spoken(t, guide, {"abc"}), "ab\n</think>\n\ncyes");
  EXPECT_TRUE(guide.cut_short());
  EXPECT_EQ(guide.thought_tokens(), 2);
  EXPECT_FALSE(guide.thinking());
}

TEST(ThinkingGuide, ACharacterIsFinishedFirst) {
  EXPECT_EQ(spoken({.budget = 2}, {"a\U0001F600bc"}), "a\U0001F600\n</think>\n\nbcyes");
  EXPECT_EQ(spoken({.budget = 1}, {"\xf0\xf0\xf0\xf0\xf0x"}),
            "\xf0\xf0\xf0\xf0\n</think>\n\n\xf0xyes")
      << "but not for ever";
}

TEST(ThinkingGuide, ItMayNotThinkAgainWhenTheBudgetIsSpent) {
  EXPECT_EQ(spoken({.budget = 2}, {"abc", "<think>", "d"}), "ab\n</think>\n\ncdyes");
  EXPECT_EQ(spoken({.budget = 3}, {"a", "</think>", "b", "<think>", "cdef"}),
            "a</think>b<think>cd\n</think>\n\nefyes")
      << "one budget for all thoughts";
}

TEST(ThinkingGuide, ThinkingThatIsNotWantedCannotBegin) {
  const Setting setting{.starts_inside = false, .wanted = false};
  EXPECT_EQ(spoken(setting, {"<think>", "a", "<think>", "b", "</think>"}), "ab</think>yes");
}

TEST(ThinkingGuide, AnAnswersGuideAppliesBehindThoughts) {
  for (const bool forces : {false, true}) {
    Setting setting{.guided = true, .forces = forces};
    EXPECT_EQ(spoken(setting, {"hm?", "<end>", "no", "</think>", "\n\n", "maybe"}),
              "hm?no</think>yes");
    setting.budget = 4;
    EXPECT_EQ(spoken(setting, {"hmmmm", "maybe"}), "hmmm\n</think>\n\nyes");
    setting = {.starts_inside = false, .guided = true, .forces = forces};
    EXPECT_EQ(spoken(setting, {"<think>", "hm", "</think>", "<think>", "x"}),
              "<think>hm</think>yes");
    EXPECT_EQ(spoken(setting, {"a", "<think>", "</think>", "\n"}), "<think></think>yes");
    setting.wanted = false;
    EXPECT_EQ(spoken(setting, {"<think>", "hm"}), "yes");
  }
}

TEST(ThinkingGuide, AnAnswerMayBeginAtOnce) {
  const Setting setting{.starts_inside = false, .guided = true};
  EXPECT_EQ(spoken(setting, {"n", "o"}), "no");
  EXPECT_EQ(spoken(setting, {"n", "<think>", "o"}), "no") << "not in the midst of it";
}

TEST(ThinkingGuide, WithTagsAsText) {
  EXPECT_EQ(spoken({.guided = true}, {"hm</thi</think>no"}, {}), "hm</thi</think>no");
  EXPECT_EQ(spoken({.starts_inside = false, .guided = true}, {"<", "hm</think>", "no"}, {}),
            "<think>hm</think>no")
      << "the rest of the tag is forced";
  // A token that would begin the answer together with the end of the tag.
  EXPECT_EQ(spoken({.guided = true}, {"hm</think", ">may", ">\n"}, {">may", ">\n"}),
            "hm</think>\nyes");
}

TEST(ThinkingGuide, AModelThatDoesNotThinkIsNotMadeTo) {
  const Tokenizer t = tokenizer_with({});
  ThinkingGuide guide(t, {}, std::make_unique<YesOrNo>(t.vocab_size()));
  EXPECT_EQ(spoken(t, guide, {"<"}), "yes");
}

TEST(ThinkingGuide, AtLeastOneTokenIsAllowed) {
  const Tokenizer t = tokenizer_with(kTags);
  ThinkingGuide guide(t, {.thoughts = {.reasons = true, .think_again = false}},
                      std::make_unique<YesOrNo>(t.vocab_size()));
  int allowed = 0;
  for (const uint64_t word : guide.allowed()) allowed += std::popcount(word);
  EXPECT_EQ(allowed, 3) << "y, n and <think>";
  guide.accept(*t.find("<think>"));
  allowed = 0;
  for (const uint64_t word : guide.allowed()) allowed += std::popcount(word);
  EXPECT_EQ(allowed, t.vocab_size() - 1) << "all but the end";
}

}  // namespace
}  // namespace ponder
