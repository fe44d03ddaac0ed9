// Damaged, lying and foreign vocabularies: an error that names the place, never a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/file.hpp"
#include "io/gguf_writer.hpp"
#include "io/json.hpp"
#include "testing/temp_folder.hpp"
#include "text/tokenizer.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

const std::string kPath = "tests/golden/text/deepseek-v3.tokenizer.json";

struct Damage {
  const char* name;
  std::function<void(Json&)> make;
  const char* message;
};

void set_merges(Json& json, const char* merges) { json["model"]["merges"] = Json::parse(merges); }

Json added(const char* text, int64_t id) {
  return {{"id", id}, {"content", text}, {"special", true}, {"normalized", false}};
}

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all = {
      {"MergeOfNoToken", [](Json& j) { set_merges(j, R"(["a b", "qqq a"])"); }, "is no token"},
      {"MergeIntoNoToken", [](Json& j) { set_merges(j, R"([["~", "~"]])"); }, "makes '~~'"},
      {"MergeTwice", [](Json& j) { j["model"]["merges"].push_back(j["model"]["merges"][0]); },
       "twice"},
      {"MergeOfThree", [](Json& j) { set_merges(j, R"(["a b c"])"); }, "not two tokens"},
      {"MergeOfOne", [](Json& j) { set_merges(j, R"([["a"]])"); }, "not two tokens"},
      {"MergeOfNumbers", [](Json& j) { set_merges(j, R"([[1, 2]])"); }, "not two tokens"},
      {"NoMerges", [](Json& j) { j["model"].erase("merges"); }, "merges"},
      {"SameId", [](Json& j) { j["model"]["vocab"]["a"] = j["model"]["vocab"]["b"]; }, "same id"},
      {"NegativeId", [](Json& j) { j["model"]["vocab"]["a"] = -1; }, "no valid id"},
      {"HugeId", [](Json& j) { j["model"]["vocab"]["a"] = 2147483646; }, "highest id"},
      {"IdBeyondInt", [](Json& j) { j["model"]["vocab"]["a"] = 9e15; }, "no valid id"},
      {"TextAsId", [](Json& j) { j["model"]["vocab"]["a"] = "1"; }, "no valid id"},
      {"VocabAsArray", [](Json& j) { j["model"]["vocab"] = Json::array(); }, "no object"},
      {"MissingByte", [](Json& j) { j["model"]["vocab"].erase("!"); }, "byte 33"},
      {"EmptyToken", [](Json& j) { j["model"]["vocab"][""] = 519; }, "empty"},
      {"HugeToken", [](Json& j) { j["model"]["vocab"][std::string(1 << 20, 'a')] = 519; },
       "1048576 bytes"},
      {"HugeAddedToken",
       [](Json& j) { j["added_tokens"].push_back(added(std::string(1 << 20, 'a').c_str(), 519)); },
       "1048576 bytes"},
      {"AddedTwice", [](Json& j) { j["added_tokens"].push_back(added("<think>", 519)); }, "both"},
      {"AddedOnTaken", [](Json& j) { j["added_tokens"].push_back(added("x!", 5)); }, "same id"},
      {"AddedWithoutId", [](Json& j) { j["added_tokens"][0].erase("id"); }, "no valid id"},
      {"AddedNumber", [](Json& j) { j["added_tokens"].push_back(7); }, "no valid id"},
      {"Lstrip", [](Json& j) { j["added_tokens"][0]["lstrip"] = true; }, "lstrip"},
      {"SingleWord", [](Json& j) { j["added_tokens"][0]["single_word"] = true; }, "single_word"},
      {"Unigram", [](Json& j) { j["model"]["type"] = "Unigram"; }, "Unigram"},
      {"Dropout", [](Json& j) { j["model"]["dropout"] = 0.5; }, "dropout"},
      {"ByteFallback", [](Json& j) { j["model"]["byte_fallback"] = true; }, "byte_fallback"},
      {"OtherRegex",
       [](Json& j) { j["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "(a*)*(a*)*b"; },
       "none of those we know"},
      {"NoRegex", [](Json& j) { j["pre_tokenizer"]["pretokenizers"] = Json::array(); },
       "none of those we know"},
      {"NoPreTokenizer", [](Json& j) { j["pre_tokenizer"] = nullptr; }, "no sequence"},
      {"PrefixSpace",
       [](Json& j) { j["pre_tokenizer"]["pretokenizers"][3]["add_prefix_space"] = true; },
       "ByteLevel"},
      {"Normalizer",
       [](Json& j) {
         j["normalizer"] = {{"type", "Lowercase"}};
       },
       "Lowercase"},
      {"PostProcessor",
       [](Json& j) {
         j["post_processor"] = Json::parse(
             R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}},
                 {"SpecialToken": {"id": "<think>"}}]})");
       },
       "post_processor"},
      {"NoModel", [](Json& j) { j.erase("model"); }, "no model"}};
  return all;
}

class DamagedJson : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedJson, IsRefused) {
  Json json = parse_json(read_file(kPath, 1 << 20).take_value(), kPath).take_value();
  GetParam().make(json);
  const auto tokenizer = Tokenizer::from_json_text(json.dump(), "some/tokenizer.json");
  ASSERT_FALSE(tokenizer.ok());
  EXPECT_THAT(tokenizer.error().message(), HasSubstr(GetParam().message));
  EXPECT_THAT(tokenizer.error().message(), HasSubstr("some/tokenizer.json"));
  EXPECT_LT(tokenizer.error().message().size(), 1000u);
}

INSTANTIATE_TEST_SUITE_P(All, DamagedJson, ::testing::ValuesIn(damages()),
                         [](const auto& damaged) { return damaged.param.name; });

TEST(DamagedJson, AnythingElseIsRefusedToo) {
  for (const std::string_view text : {"", "{", "[]", "null", "{}", "{\"model\": 3}", "\xff\xfe"})
    EXPECT_FALSE(Tokenizer::from_json_text(text, "t").ok()) << text;
  EXPECT_FALSE(Tokenizer::from_json_text(std::string(100000, '['), "t").ok());
  EXPECT_FALSE(Tokenizer::load("no/such/folder").ok());
}

TEST(DamagedJson, EveryTruncationIsRefused) {
  const std::string text = read_file(kPath, 1 << 20).take_value();
  for (size_t size = 0; size + 2 < text.size(); size += 211)
    EXPECT_FALSE(Tokenizer::from_json_text(text.substr(0, size), "t").ok()) << size;
}

TEST(DamagedJson, ConfigurationMustFit) {
  const std::string text = read_file(kPath, 1 << 20).take_value();
  for (const std::string_view config :
       {R"({"bos_token": "no such"})", R"({"bos_token": 3})", R"({"add_bos_token": true})",
        R"({"add_bos_token": "yes"})", R"({"chat_template": [3]})", "{"})
    EXPECT_FALSE(Tokenizer::from_json_text(text, "t", config).ok()) << config;
}

struct GgufVocabulary {
  std::string model = "gpt2", pre = "qwen2";
  std::vector<std::string> tokens, merges;
  std::vector<int32_t> types;
  uint32_t eos = 0;
};

GgufVocabulary all_bytes() {
  GgufVocabulary v;
  const auto json = parse_json(read_file(kPath, 1 << 20).take_value(), kPath).take_value();
  v.tokens.resize(256);
  for (const auto& [text, id] : json["model"]["vocab"].items())
    if (id < 256) v.tokens[id.get<size_t>()] = text;
  v.types.assign(256, 1);
  return v;
}

std::string error_of(const GgufVocabulary& v) {
  const testing::TempFolder folder;
  const auto path = folder.path() / "v.gguf";
  GgufWriter writer = GgufWriter::create(path).take_value();
  writer.set_text("tokenizer.ggml.model", v.model);
  writer.set_text("tokenizer.ggml.pre", v.pre);
  writer.set_texts("tokenizer.ggml.tokens", v.tokens);
  writer.set_i32s("tokenizer.ggml.token_type", v.types);
  writer.set_texts("tokenizer.ggml.merges", v.merges);
  writer.set_u32("tokenizer.ggml.eos_token_id", v.eos);
  EXPECT_TRUE(writer.begin().ok());
  EXPECT_TRUE(writer.commit().ok());
  const auto tokenizer = Tokenizer::load(path);
  return tokenizer.ok() ? "" : tokenizer.error().message();
}

TEST(DamagedGguf, IsRefused) {
  EXPECT_EQ(error_of(all_bytes()), "");
  GgufVocabulary v = all_bytes();
  v.model = "llama";
  EXPECT_THAT(error_of(v), HasSubstr("tokenizer.ggml.model is 'llama'"));
  v = all_bytes();
  v.pre = "tekken";
  EXPECT_THAT(error_of(v), HasSubstr("unknown pre-tokenizer 'tekken'"));
  v = all_bytes();
  v.types.pop_back();
  EXPECT_THAT(error_of(v), HasSubstr("255 elements for 256 tokens"));
  v = all_bytes();
  v.types[7] = 6;
  EXPECT_THAT(error_of(v), HasSubstr("token 7 has the type 6"));
  v = all_bytes();
  v.tokens[9] = v.tokens[8];
  EXPECT_THAT(error_of(v), HasSubstr("token 9 and token 8"));
  v = all_bytes();
  v.tokens[9] = "\xff";
  EXPECT_THAT(error_of(v), HasSubstr("not UTF-8"));
  v = all_bytes();
  v.merges = {"ab"};
  EXPECT_THAT(error_of(v), HasSubstr("merge 0, 'ab', is not two tokens"));
  v = all_bytes();
  v.merges = {"a b"};
  EXPECT_THAT(error_of(v), HasSubstr("makes 'ab'"));
  v = all_bytes();
  v.eos = 256;
  EXPECT_THAT(error_of(v), HasSubstr("end-of-sequence token is 256"));
}

}  // namespace
}  // namespace ponder
