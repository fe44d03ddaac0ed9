#include <gtest/gtest.h>

#include "base/file.hpp"
#include "data/decontaminate/decontaminate_step.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

constexpr const char* kQuestion =
    "A train leaves Vienna at nine and travels with eighty kilometres an hour to Graz.";

EvaluationIndex index_of(std::string_view text) {
  EvaluationIndex index(10, 3);
  index.add_text(text, {"set:1", "question"});
  return index;
}

Decision judged(const EvaluationIndex& index, Document& document,
                DecontaminateOptions options = {}) {
  Decision decision;
  Decontaminate(index, options).process(document, {}, decision);
  return decision;
}

TEST(Decontaminate, FindsTheItemWhateverCasePunctuationAndSpace) {
  const EvaluationIndex index = index_of(kQuestion);
  for (const std::string& text :
       {std::string("So: ") + kQuestion,
        std::string("TRAIN LEAVES VIENNA AT NINE AND TRAVELS WITH EIGHTY KILOMETRES"),
        std::string("a-train,leaves  vienna\nat nine; and (travels) with \"eighty\" kilometres")}) {
    Document document;
    document.text = text;
    const Decision decision = judged(index, document);
    EXPECT_FALSE(decision.keep) << text;
    EXPECT_NE(decision.details.find("\"item\": \"set:1\", \"field\": \"question\""),
              std::string::npos);
  }
  Document other;
  other.text = "Train leaves Vienna at nine and travels with many horses";  // nine words
  EXPECT_TRUE(judged(index, other).keep);
}

TEST(Decontaminate, ShortItemsMustOccurAsAWhole) {
  const EvaluationIndex index = index_of("What is love?");
  Document document;
  document.text = "He asked: what is LOVE, then?";
  EXPECT_FALSE(judged(index, document).keep);
  document.text = "What is lovely?";
  EXPECT_TRUE(judged(index, document).keep);
  const EvaluationIndex too_short = index_of("Why not?");
  document.text = "Why not?";
  EXPECT_TRUE(judged(too_short, document).keep);
}

TEST(Decontaminate, CutsWithMargins) {
  const EvaluationIndex index = index_of(kQuestion);
  const std::string before(500, 'x'), behind(500, 'y');
  Document document;
  document.text = before + " " + kQuestion + " " + behind;
  EXPECT_TRUE(judged(index, document, {.cut = true}).keep);
  EXPECT_TRUE(document.text_changed);
  EXPECT_EQ(document.text.find("Vienna"), std::string::npos);
  EXPECT_EQ(document.text.substr(0, 300), std::string(300, 'x'));
  document.text = kQuestion;
  EXPECT_FALSE(judged(index, document, {.cut = true}).keep);
}

TEST(EvaluationIndex, ReadsTextsOfJsonLines) {
  const testing::TempFolder folder;
  const auto path = folder.path() / "set.jsonl";
  ASSERT_TRUE(write_file(path,
                         "{\"task_id\": \"T/1\", \"prompt\": \"one two three four\", \"n\": 3}\n"
                         "{\"answer\": \"five six seven\"}\n")
                  .ok());
  EvaluationIndex index(10, 3);
  ASSERT_TRUE(index.add_file(path, {}).ok());
  ASSERT_EQ(index.items(), 2u);
  EXPECT_EQ(index.item(0).id, "set.jsonl:T/1");
  EXPECT_EQ(index.item(1).id, "set.jsonl:1");
  EvaluationIndex chosen(10, 3);
  ASSERT_TRUE(chosen.add_file(path, {"answer"}).ok());
  EXPECT_EQ(chosen.items(), 1u);
  ASSERT_TRUE(write_file(path, "{broken\n").ok());
  EXPECT_FALSE(index.add_file(path, {}).ok());
}

}  // namespace
}  // namespace ponder
