#include <gtest/gtest.h>

#include <cmath>

#include "data/rules/filter.hpp"

namespace ponder {
namespace {

struct Looked {
  std::string rule;  // that failed; empty: none
  std::string text;
};

Looked look(std::vector<std::unique_ptr<TextFilter>>& filters, const std::string& text,
            const std::string& url = "") {
  FilterScratch scratch;
  Document document;
  document.text = text;
  document.url = url;
  scratch.features.look_at(document.text);
  for (const auto& filter : filters) {
    std::vector<double> values(filter->rules().size(), std::nan(""));
    Measures measures(values, false);
    filter->check(document, scratch, measures);
    if (measures.failed() >= 0)
      return {std::string(filter->rules()[static_cast<size_t>(measures.failed())].name),
              document.text};
  }
  return {"", document.text};
}

std::vector<std::unique_ptr<TextFilter>> filters_of(
    std::string_view name, std::vector<std::pair<std::string, std::string>> options = {}) {
  std::vector<std::unique_ptr<TextFilter>> filters;
  filters.push_back(make_filter(name));
  for (const auto& [key, value] : options)
    EXPECT_TRUE(set_filter_option(filters, std::string(name) + "." + key, value).ok()) << key;
  EXPECT_TRUE(filters[0]->prepare().ok());
  return filters;
}

TEST(Filters, GopherQualityCountsWords) {
  auto filters = filters_of("gopher_quality");
  std::string text;
  for (int i = 0; i < 25; ++i) text += "the words and ";
  EXPECT_EQ(look(filters, text).rule, "");
  EXPECT_EQ(look(filters, "the end of that").rule, "gopher_short_doc");
  EXPECT_EQ(look(filters, text + std::string(20, '#')).rule, "gopher_too_many_hashes");
  auto less = filters_of("gopher_quality", {{"min_words", "3"}});
  EXPECT_EQ(look(less, "the end of that").rule, "");
  auto off = filters_of("gopher_quality", {{"min_words", "off"}});
  EXPECT_EQ(look(off, "the end of that").rule, "");
}

TEST(Filters, C4DropsLinesAndKeepsTheRest) {
  auto filters = filters_of("c4_quality", {{"min_sentences", "1"}});
  EXPECT_EQ(look(filters,
                 "A line that stays [12].\nno end mark here\nToo short.\nEnable JavaScript "
                 "to go on.\nThe end is near.")
                .text,
            "A line that stays .\nThe end is near.");
  EXPECT_EQ(look(filters, "Here is a { bracket.").rule, "curly_bracket");
  EXPECT_EQ(look(filters, "Lorem IPSUM dolor sit amet.").rule, "lorem_ipsum");
  EXPECT_EQ(look(filters, "nothing stays").rule, "too_few_sentences");
}

TEST(Filters, PiiIsMasked) {
  auto filters = filters_of("pii");
  const std::string key = "AKIA" + std::string(16, 'Z');
  EXPECT_EQ(look(filters, "Write to (jo.doe+x@mail.example.org), 8.8.8.8 or 192.168.0.1.").text,
            "Write to (<EMAIL>), <IP> or 192.168.0.1.");
  EXPECT_EQ(look(filters, "Call +49 30 1234567 or (212) 555-0123; not 2024-01-02.").text,
            "Call <PHONE> or <PHONE>; not 2024-01-02.");
  EXPECT_EQ(look(filters, "key=" + key + ", version 1.2.3.4.5").text,
            "key=<KEY>, version 1.2.3.4.5");
  EXPECT_EQ(look(filters, "a @ b, @name, x@y").text, "a @ b, @name, x@y");
}

TEST(Filters, ThoughtsOfR1) {
  auto filters = filters_of("thoughts");
  EXPECT_EQ(look(filters, "Let x = 3, so α is 7.").rule, "");
  EXPECT_EQ(look(filters, "So we have 所以我们有三个苹果 left over.").rule, "mixed_languages");
  EXPECT_EQ(look(filters, "First:\n```python\nx\n```\n").rule, "code_block");
  EXPECT_EQ(look(filters, std::string(5000, 'a')).rule, "long_paragraph");
}

TEST(Filters, LanguageIsKnown) {
  auto filters = filters_of("language", {{"keep", "en"}});
  EXPECT_EQ(
      look(filters, "The quick brown fox jumps over the lazy dog, and then it goes home.").rule,
      "");
  EXPECT_EQ(look(filters,
                 "Der schnelle braune Fuchs springt über den faulen Hund und geht nach "
                 "Hause.")
                .rule,
            "language");
}

// The rule that fails for a record, or "".
std::string rule_of(TextFilter& filter, const std::string& record) {
  DocumentParser parser;
  Document document;
  document.record = record;
  EXPECT_EQ(parser.parse({}, "f", document), "") << record;
  FilterScratch scratch;
  scratch.record = &parser;
  scratch.features.look_at(document.text);
  std::vector<double> values(filter.rules().size(), std::nan(""));
  Measures measures(values, false);
  filter.check(document, scratch, measures);
  const int failed = measures.failed();
  return failed < 0 ? "" : std::string(filter.rules()[static_cast<size_t>(failed)].name);
}

TEST(Filters, AnswersThatCanBeVerifiedAreKept) {
  const auto maths = make_filter("answer");
  for (const char* right :
       {R"({"reference": "1/2", "text": "<think>a</think> So \\boxed{\\frac{2}{4}}"})",
        R"({"reference": "1/2", "text": "", "answer": "The answer is 0.5."})",
        R"({"reference": 12, "text": "The answer is 12"})"})
    EXPECT_EQ(rule_of(*maths, right), "") << right;
  EXPECT_EQ(rule_of(*maths, R"({"reference": "3", "text": "\\boxed{4}"})"), "answer_wrong");
  for (const char* unclear :
       {R"({"text": "\\boxed{4}"})", R"({"reference": "", "text": "\\boxed{4}"})",
        R"({"reference": [4], "text": "\\boxed{4}"})",
        R"({"reference": "4", "text": "It is hard to say.\nIt depends."})",
        R"({"reference": "4", "text": "<think>it is \\boxed{4} but"})"})
    EXPECT_EQ(rule_of(*maths, unclear), "answer_not_verifiable") << unclear;

  const auto choice = make_filter("answer");
  choice->numbers()[2].value = 1;
  choice->lists()[0].values = {"key", "gold"};
  EXPECT_EQ(rule_of(*choice, R"({"gold": "B", "text": "Thus **Answer: B**"})"), "");
  EXPECT_EQ(rule_of(*choice, R"({"gold": "B", "text": "Answer: C"})"), "answer_wrong");
  choice->numbers()[1].value = std::nan("");  // wrong ones stay
  EXPECT_EQ(rule_of(*choice, R"({"gold": "B", "text": "Answer: C"})"), "");
}

TEST(Filters, ExpressionsDecide) {
  auto filters = filters_of("expression", {{"keep", "words >= 3 && !contains(text, 'bad')\x1f"}});
  EXPECT_EQ(look(filters, "three good words").rule, "");
  EXPECT_EQ(look(filters, "two words").rule, "expression");
  EXPECT_EQ(look(filters, "three bad words").rule, "expression");
  for (const char* wrong : {"1 +", "(1", "nothing(1)", "'open", "1 2", "contains('a')", ""}) {
    std::vector<std::unique_ptr<TextFilter>> broken;
    broken.push_back(make_filter("expression"));
    ASSERT_TRUE(set_filter_option(broken, "expression.keep", std::string(wrong) + "\x1f").ok());
    EXPECT_FALSE(broken[0]->prepare().ok()) << wrong;
  }
  std::vector<std::unique_ptr<TextFilter>> deep;
  deep.push_back(make_filter("expression"));
  ASSERT_TRUE(set_filter_option(deep, "expression.keep", std::string(5000, '(')).ok());
  EXPECT_FALSE(deep[0]->prepare().ok());
}

TEST(Filters, PresetsDifferAsDocumented) {
  auto paper = preset_filters("fineweb-paper"), peer = preset_filters("fineweb-datatrove");
  ASSERT_TRUE(paper.ok() && peer.ok());
  int differences = 0;
  for (size_t f = 0; f < paper.value().size(); ++f)
    for (size_t i = 0; i < paper.value()[f]->numbers().size(); ++i)
      differences += paper.value()[f]->numbers()[i].value != peer.value()[f]->numbers()[i].value;
  EXPECT_EQ(differences, 1);
  EXPECT_FALSE(preset_filters("nonsense").ok());
  EXPECT_FALSE(set_filter_option(paper.value(), "gopher_quality.nonsense", "1").ok());
  EXPECT_FALSE(set_filter_option(paper.value(), "gopher_quality.min_words", "many").ok());
}

}  // namespace
}  // namespace ponder
