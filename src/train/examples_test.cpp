#include "train/examples.hpp"

#include <gmock/gmock.h>

#include "data/packed_shard.hpp"
#include "testing/temp_folder.hpp"
#include "testing/test_tokens.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

class ExamplesTest : public ::testing::Test {
 protected:
  Result<ExampleSet> read(const std::string& name, const std::string& text) {
    const std::filesystem::path files[] = {folder_.write(name, text)};
    return read_examples(files, tokenizer_, options_);
  }
  ExampleSet set_of(const std::string& text) {
    auto set = read("a.jsonl", text);
    EXPECT_TRUE(set.ok()) << set.error().message();
    return std::move(set).take_value();
  }
  std::string text_of(const Example& example) const { return tokenizer_.decode(example.tokens); }
  std::string learned(const Example& example) const {
    return tokenizer_.decode(
        std::span(example.tokens).subspan(static_cast<size_t>(example.learn_from)));
  }

  testing::TempFolder folder_;
  Tokenizer tokenizer_ = tokenizer_with(
      {"<think>", "</think>"}, {"<|im_start|>", "<|im_end|>", "<｜User｜>", "<｜Assistant｜>"});
  ExampleOptions options_;
};

TEST_F(ExamplesTest, PlainPromptsLearnTheAnswerAndTheEnd) {
  const auto set = set_of(
      "{\"prompt\": \"1+1=\", \"answer\": \"2\"}\n\n{\"prompt\": \"\", \"answer\": \"ab\"}\n");
  ASSERT_EQ(set.examples.size(), 2u);
  EXPECT_EQ(text_of(set.examples[0]), "1+1=2<end>");
  EXPECT_EQ(learned(set.examples[0]), "2<end>");
  EXPECT_EQ(learned(set.examples[1]), "b<end>");  // nothing predicts the first token
  EXPECT_EQ(set.tokens(), 6 + 3);
}

TEST_F(ExamplesTest, PackedShardsGiveTheirPieces) {
  const std::vector<int32_t> a = tokenizer_.encode("abc"), b = tokenizer_.encode("de"),
                             single = tokenizer_.encode("f");
  ASSERT_GE(a.size(), 2u);
  ASSERT_GE(b.size(), 2u);
  ASSERT_EQ(single.size(), 1u);
  const std::filesystem::path files[] = {folder_.path() / "a.pack"};
  const auto pack = [&](uint32_t vocabulary) {
    auto writer = PackedShardWriter::create(files[0], 32, vocabulary).take_value();
    const std::vector<std::span<const int32_t>> pieces = {a, single, b};
    ASSERT_TRUE(writer.add(pieces).ok());
    ASSERT_TRUE(writer.commit().ok());
  };
  pack(static_cast<uint32_t>(tokenizer_.vocab_size()));
  const auto set = read_examples(files, tokenizer_, options_);
  ASSERT_TRUE(set.ok()) << set.error().message();
  ASSERT_EQ(set.value().examples.size(), 2u);
  EXPECT_EQ(text_of(set.value().examples[0]), "abc");
  EXPECT_EQ(learned(set.value().examples[1]), "e");
  options_.length = 16;
  EXPECT_THAT(read_examples(files, tokenizer_, options_).error().what, HasSubstr("longer"));
  options_.length = 1024;
  pack(static_cast<uint32_t>(tokenizer_.vocab_size()) + 1);
  EXPECT_THAT(read_examples(files, tokenizer_, options_).error().what, HasSubstr("tokenizer"));
}

TEST_F(ExamplesTest, AChatTemplateGivesThePromptOfInference) {
  options_.chat = ChatTemplate::by_name("qwen2.5").take_value();
  const auto set = set_of(
      "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", "
      "\"content\": \"Ho\"}, {\"role\": \"user\", \"content\": \"A\"}, {\"role\": \"assistant\", "
      "\"content\": \"B\", \"reasoning\": \"hm\"}]}");
  ASSERT_EQ(set.examples.size(), 1u);
  EXPECT_EQ(learned(set.examples[0]), "<think>\nhm\n</think>\n\nB<|im_end|>");
  EXPECT_THAT(text_of(set.examples[0]), HasSubstr("Ho<|im_end|>"));
  options_.every_answer = true;
  EXPECT_EQ(set_of("{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": "
                   "\"assistant\", \"content\": \"Ho\"}, {\"role\": \"user\", \"content\": \"A\"}, "
                   "{\"role\": \"assistant\", \"content\": \"B\"}]}")
                .examples.size(),
            2u);
}

TEST_F(ExamplesTest, ThoughtsThatThePromptHasOpenedAreNotOpenedAgain) {
  options_.chat = ChatTemplate::by_name("deepseek-r1").take_value();
  const std::string expected = "hm\n</think>\n\nB";
  for (const std::string answer :
       {"\"answer\": \"B\", \"reasoning\": \"hm\"",
        "\"answer\": \"<think>\\nhm\\n</think>\\n\\nB\"", "\"answer\": \"hm\\n</think>\\n\\nB\""}) {
    const auto set = set_of("{\"prompt\": \"A\", " + answer + "}");
    ASSERT_EQ(set.examples.size(), 1u);
    EXPECT_EQ(learned(set.examples[0]), expected + "<end>") << answer;
    EXPECT_THAT(text_of(set.examples[0]), HasSubstr("<think>\n" + expected));
  }
}

TEST_F(ExamplesTest, LongOnesAreCutOrLeftOutAndCounted) {
  options_.length = 8;
  const std::string text =
      "{\"prompt\": \"abcdef\", \"answer\": \"ghijkl\"}\n{\"prompt\": \"abcdefghij\", \"answer\": "
      "\"x\"}\n"
      "{\"prompt\": \"a\", \"answer\": \"b\"}\n";
  auto set = set_of(text);
  EXPECT_EQ(set.examples.size(), 2u);
  EXPECT_EQ(set.cut, 2);
  EXPECT_EQ(set.dropped, 1);
  EXPECT_EQ(learned(set.examples[0]), "gh");
  options_.drop_long = true;
  set = set_of(text);
  EXPECT_EQ(set.examples.size(), 1u);
  EXPECT_EQ(set.dropped, 2);
}

TEST_F(ExamplesTest, DocumentsAreCutIntoPiecesThatLearnEveryToken) {
  options_.length = 8;
  auto set = read("a.txt", "0123456789abcdefghi").take_value();
  std::string all = "0";
  for (const Example& example : set.examples) {
    EXPECT_LE(example.length(), 8);
    EXPECT_EQ(example.learn_from, 1);
    all += learned(example);
  }
  EXPECT_EQ(all, "0123456789abcdefghi<end>");
  EXPECT_EQ(set_of("{\"text\": \"xy\"}").examples.size(), 1u);
}

TEST_F(ExamplesTest, TokensAreTakenAsTheyAre) {
  const auto set = set_of("{\"tokens\": [1, 2, 3], \"learn_from\": 2}");
  EXPECT_EQ(set.examples[0].tokens, (std::vector<int32_t>{1, 2, 3}));
  EXPECT_EQ(set.examples[0].learned(), 1);
}

TEST_F(ExamplesTest, BrokenLinesAreNamed) {
  for (const std::string bad :
       {"{", "[]", "{\"answer\": \"x\"}", "{\"prompt\": \"x\"}",
        "{\"prompt\": 1, \"answer\": \"x\"}", "{\"messages\": []}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}", "{\"messages\": [1, 2]}",
        "{\"tokens\": [1, 99999999]}", "{\"tokens\": \"x\"}",
        "{\"tokens\": [1, 2], \"learn_from\": 0}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", "
        "\"content\": \"b\", \"tool_calls\": [{}]}]}"}) {
    const auto set = read("a.jsonl", "{\"text\": \"ok\"}\n" + bad + "\n");
    ASSERT_FALSE(set.ok()) << bad;
    EXPECT_THAT(set.error().message(), HasSubstr("a.jsonl: line 2")) << bad;
  }
}

}  // namespace
}  // namespace ponder
