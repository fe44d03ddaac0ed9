// Tokenizers against what the `tokenizers` package gives (tools/golden/text_tokens.py).
#include "text/tokenizer.hpp"
#include "text/tokenizer_export.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/file.hpp"
#include "io/gguf.hpp"
#include "io/gguf_writer.hpp"
#include "io/json.hpp"
#include "testing/temp_folder.hpp"
#include "text/stream_decoder.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kGolden = "tests/golden/text/";
constexpr std::string_view kUser = "<｜User｜>";
constexpr std::string_view kBos = "<｜begin▁of▁sentence｜>";

std::string golden_text(const std::string& name) {
  return read_file(kGolden + name, 1 << 24).take_value();
}
Json golden_json(const std::string& name) {
  return parse_json(golden_text(name), name).take_value();
}
Tokenizer golden_tokenizer(const std::string& name) {
  return Tokenizer::load(kGolden + name + ".tokenizer.json").take_value();
}

// The small vocabulary of the golden tokenizers, as a GGUF file.
std::filesystem::path write_gguf(const testing::TempFolder& folder, const std::string& name,
                                 const std::string& pre) {
  const Json json = golden_json(name + ".tokenizer.json");
  std::vector<std::string> tokens(json["model"]["vocab"].size() + json["added_tokens"].size() + 1);
  std::vector<int32_t> types(tokens.size(), 1);
  std::vector<std::string> merges;
  for (const auto& [text, id] : json["model"]["vocab"].items()) tokens[id.get<size_t>()] = text;
  for (const Json& added : json["added_tokens"]) {
    tokens[added["id"].get<size_t>()] = added["content"];
    types[added["id"].get<size_t>()] = added["special"].get<bool>() ? 3 : 4;
  }
  tokens.back() = "[PAD519]";
  types.back() = 5;
  for (const Json& merge : json["model"]["merges"])
    merges.push_back(merge.is_string()
                         ? merge.get<std::string>()
                         : merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  const auto path = folder.path() / (name + ".gguf");
  GgufWriter writer = GgufWriter::create(path).take_value();
  writer.set_text("general.architecture", "deepseek2");
  writer.set_text("tokenizer.ggml.model", "gpt2");
  writer.set_text("tokenizer.ggml.pre", pre);
  writer.set_texts("tokenizer.ggml.tokens", tokens);
  writer.set_i32s("tokenizer.ggml.token_type", types);
  writer.set_texts("tokenizer.ggml.merges", merges);
  writer.set_u32("tokenizer.ggml.bos_token_id", 512);
  writer.set_u32("tokenizer.ggml.eos_token_id", 513);
  writer.set_bool("tokenizer.ggml.add_bos_token", true);
  writer.set_text("tokenizer.chat_template", "{{ bos_token }}");
  EXPECT_TRUE(writer.begin().ok());
  EXPECT_TRUE(writer.commit().ok());
  return path;
}

// A model that leaves GGUF takes its tokenizer along.
TEST(TokenizerExport, GivesTheSameTokens) {
  const testing::TempFolder folder;
  const std::pair<const char*, const char*> cases[] = {
      {"deepseek-v3", "deepseek-v3"}, {"qwen2", "qwen2"}, {"llama3", "llama-bpe"}};
  for (const auto& [name, pre] : cases) {
    const auto gguf = write_gguf(folder, name, pre);
    ASSERT_TRUE(export_tokenizer(gguf, folder.path()).ok());
    const Tokenizer before = Tokenizer::load(gguf).take_value();
    const Tokenizer after = Tokenizer::load(folder.path()).take_value();
    const std::string text = golden_text("mixed.txt") + "<｜User｜>hi<｜Assistant｜><think>";
    EXPECT_EQ(after.encode(text), before.encode(text)) << name;
    EXPECT_EQ(after.bos(), before.bos());
    EXPECT_EQ(after.eos(), before.eos());
    EXPECT_EQ(after.adds_bos(), before.adds_bos());
    EXPECT_EQ(after.chat_template(), before.chat_template());
    for (int32_t id = 0; id < 519; ++id) {
      EXPECT_EQ(after.is_special(id), before.is_special(id)) << id;
      EXPECT_EQ(after.is_end(id), before.is_end(id)) << id;
      EXPECT_EQ(after.token_bytes(id), before.token_bytes(id)) << id;
    }
  }
}

uint64_t hash_of(std::span<const int32_t> ids) {  // FNV-1a
  uint64_t hash = 0xcbf29ce484222325u;
  for (const std::byte byte : std::as_bytes(ids))
    hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3u;
  return hash;
}

// The bytes of a piece that is spelled in the byte alphabet, by the tokens of its characters.
std::string unspelled(const Tokenizer& tokenizer, const Json& vocab, std::string_view piece) {
  std::string bytes;
  for (size_t i = 0; i < piece.size();) {
    const size_t length = decode_char(piece, i).length;
    bytes += tokenizer.token_bytes(vocab[std::string(piece.substr(i, length))].get<int32_t>());
    i += length;
  }
  return bytes;
}

class GoldenTokenizer : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenTokenizer, GivesTheExpectedTokens) {
  const Tokenizer tokenizer = golden_tokenizer(GetParam());
  const Json golden = golden_json(std::string(GetParam()) + ".expected.json");
  const Json vocab = golden_json(std::string(GetParam()) + ".tokenizer.json")["model"]["vocab"];
  ASSERT_GE(golden["cases"].size(), 30u);
  for (const Json& item : golden["cases"]) {
    const auto text = item["text"].get<std::string>();
    const auto ids = tokenizer.encode(text);
    EXPECT_EQ(ids, item["ids"].get<std::vector<int32_t>>()) << text;
    EXPECT_EQ(tokenizer.decode(ids), item["decoded"].get<std::string>()) << text;
    std::vector<std::string> pieces;
    for (const Json& piece : item["pieces"])
      pieces.push_back(unspelled(tokenizer, vocab, piece.get<std::string>()));
    EXPECT_EQ(tokenizer.pieces(text), pieces) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTokenizer, ::testing::Values("deepseek-v3", "llama3", "qwen2"));

class MixedText : public ::testing::TestWithParam<const char*> {};

TEST_P(MixedText, GivesTheExpectedTokens) {
  const Tokenizer tokenizer = golden_tokenizer(GetParam());
  const std::string text = golden_text("mixed.txt");
  const Json expected = golden_json("mixed.json")[GetParam()];
  EXPECT_EQ(tokenizer.pieces(text).size(), expected["pieces"].get<size_t>());
  const auto ids = tokenizer.encode(text);
  EXPECT_EQ(ids.size(), expected["tokens"].get<size_t>());
  EXPECT_EQ(std::to_string(hash_of(ids)), expected["tokens_hash"].get<std::string>());
}

TEST_P(MixedText, DecodesToItself) {
  const Tokenizer tokenizer = golden_tokenizer(GetParam());
  const std::string text = golden_text("mixed.txt");
  const std::string normal =
      GetParam() == std::string("qwen2") ? normalized_nfc(text).value_or(text) : text;
  const auto ids = tokenizer.encode(text);
  EXPECT_EQ(tokenizer.decode(ids), normal);
  StreamDecoder stream(tokenizer, false);
  std::string streamed;
  for (const int32_t id : ids) {
    const std::string part = stream.push(id);
    ASSERT_FALSE(repaired_utf8(part).has_value());
    streamed += part;
  }
  EXPECT_EQ(streamed + stream.finish(), normal);
}

INSTANTIATE_TEST_SUITE_P(All, MixedText,
                         ::testing::Values("deepseek-llm", "deepseek-v3", "llama3", "qwen2"));

TEST(Tokenizer, IsTheSameFromGguf) {
  const testing::TempFolder folder;
  const std::string text = golden_text("mixed.txt") + std::string(kUser) + "x</think>";
  for (const auto& [name, pre] :
       {std::pair("deepseek-v3", "deepseek-v3"), std::pair("deepseek-llm", "deepseek-llm"),
        std::pair("llama3", "llama-bpe"), std::pair("qwen2", "qwen2")}) {
    const Tokenizer gguf = Tokenizer::load(write_gguf(folder, name, pre)).take_value();
    EXPECT_EQ(gguf.encode(text, {.add_bos = false}), golden_tokenizer(name).encode(text)) << name;
    EXPECT_EQ(gguf.pretokenizer(), pre);
  }
}

TEST(Tokenizer, ReadsWhatGgufSays) {
  const testing::TempFolder folder;
  const Tokenizer t = Tokenizer::load(write_gguf(folder, "qwen2", "deepseek-r1-qwen")).take_value();
  EXPECT_EQ(t.pretokenizer(), "deepseek-r1-qwen");
  EXPECT_EQ(t.vocab_size(), 520);
  EXPECT_EQ(t.bos(), 512);
  EXPECT_EQ(t.eos(), 513);
  EXPECT_TRUE(t.adds_bos());
  EXPECT_EQ(t.chat_template(), "{{ bos_token }}");
  EXPECT_EQ(t.encode("").size(), 1u);
  EXPECT_EQ(t.encode("")[0], 512);
  EXPECT_TRUE(t.encode("", {.add_bos = false}).empty());
  EXPECT_TRUE(t.is_end(513));
  EXPECT_FALSE(t.is_end(512));
  EXPECT_TRUE(t.is_special(512));
  EXPECT_FALSE(t.is_special(517));  // <think>
  EXPECT_EQ(t.find("<think>"), 517);
  EXPECT_EQ(t.token_bytes(519), "") << "padding of the vocabulary";
  EXPECT_FALSE(t.find("[PAD519]"));
  // Distilled models do not normalise, Qwen itself does.
  EXPECT_EQ(t.decode(t.encode("e\u0301", {.add_bos = false})), "e\u0301");
}

TEST(Tokenizer, FindsAddedTokensFirst) {
  const Tokenizer t = golden_tokenizer("deepseek-v3");
  const auto user = *t.find(kUser), bos = *t.find(kBos), think = *t.find("<think>");
  const auto hi = t.encode("hi");
  std::vector<int32_t> expected = {user};
  expected.insert(expected.end(), hi.begin(), hi.end());
  expected.insert(expected.end(), {bos, think, think});
  const std::string text = std::string(kUser) + "hi" + std::string(kBos) + "<think><think>";
  EXPECT_EQ(t.encode(text), expected);
  EXPECT_EQ(t.decode(expected), text);
  // Of these only the beginning of the sequence and the turn of the user are special here.
  EXPECT_EQ(t.decode(expected, true), "hi<think><think>");
}

TEST(Tokenizer, LeavesSpecialTokensInTextOnRequest) {
  const Tokenizer t = golden_tokenizer("deepseek-v3");
  const auto ids = t.encode("a<think>" + std::string(kBos), {.parse_special = false});
  EXPECT_THAT(ids, ::testing::Contains(*t.find("<think>"))) << "added, but not special";
  EXPECT_THAT(ids, ::testing::Not(::testing::Contains(*t.find(kBos))));
  EXPECT_EQ(t.decode(ids), "a<think>" + std::string(kBos));
}

TEST(Tokenizer, RepairsBrokenUtf8) {
  const Tokenizer t = golden_tokenizer("deepseek-v3");
  for (const auto& [broken, repaired] :
       {std::pair("a\xff"
                  "b",
                  "a\uFFFDb"),
        std::pair("\xe4\xbd", "\uFFFD"), std::pair("\xc0\x80", "\uFFFD\uFFFD"),
        std::pair("\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"), std::pair("\xf0\x9f\x98z", "\uFFFDz"),
        std::pair("\xf5\x80", "\uFFFD\uFFFD")})
    EXPECT_EQ(t.decode(t.encode(broken)), repaired);
}

TEST(Tokenizer, IgnoresIdsThatAreNone) {
  const Tokenizer t = golden_tokenizer("qwen2");
  EXPECT_EQ(t.decode(std::vector<int32_t>{-1, 1 << 30, 64, INT32_MIN}), t.token_bytes(64));
  EXPECT_EQ(t.token_bytes(-5), "");
  EXPECT_FALSE(t.is_special(1 << 30));
  EXPECT_FALSE(t.is_end(-1));
}

TEST(Tokenizer, LongPiecesMergeLikeShortOnes) {
  // Merges of a long run go through a heap, those of its parts do not; the run is periodic, so both
  // must agree on the period.
  const Tokenizer t = golden_tokenizer("deepseek-v3");
  std::string run;
  for (int i = 0; i < 3000; ++i) run += "theandinging"[i % 12];
  const auto ids = t.encode(run);
  EXPECT_EQ(t.decode(ids), run);
  const auto period = t.encode(run.substr(0, 36));
  ASSERT_LT(period.size() + 1, ids.size());
  EXPECT_TRUE(std::equal(period.begin(), period.end() - 2, ids.begin()));
  EXPECT_EQ(t.decode(t.encode(std::string(1 << 20, 'a'))).size(), 1u << 20);
  EXPECT_EQ(t.decode(t.encode(std::string(1 << 20, ' '))).size(), 1u << 20);
}

TEST(Tokenizer, HostileRunsTakeNoQuadraticTime) {
  const size_t count = 1 << 18;
  std::string marks = "a", spaces(count, ' ');
  for (size_t i = 0; i < count; ++i) marks += i % 2 ? "\u0316" : "\u0301";  // out of order
  for (const char* name : {"qwen2", "deepseek-llm", "deepseek-v3"}) {
    const Tokenizer t = golden_tokenizer(name);
    EXPECT_GT(t.encode(marks).size(), 1u);
    EXPECT_EQ(t.decode(t.encode(spaces + "1" + spaces + "x")).size(), 2 * count + 2);
  }
}

TEST(Tokenizer, WorksFromManyThreads) {
  const Tokenizer t = golden_tokenizer("llama3");
  const std::string text = golden_text("mixed.txt").substr(0, 20000);
  const auto expected = t.encode(text);
  std::vector<std::future<std::vector<int32_t>>> results;
  for (int i = 0; i < 4; ++i)
    results.push_back(
        std::async(std::launch::async, [copy = t, &text] { return copy.encode(text); }));
  for (auto& result : results) EXPECT_EQ(result.get(), expected);
}

TEST(Tokenizer, ReadsTheFilesBeside) {
  const testing::TempFolder folder;
  const auto path = folder.write("tokenizer.json", golden_text("deepseek-v3.tokenizer.json"));
  folder.write("model.safetensors", "");
  folder.write("tokenizer_config.json",
               R"({"bos_token": {"content": "<｜begin▁of▁sentence｜>"}, "add_bos_token": true,
                   "eos_token": "<｜end▁of▁sentence｜>",
                   "chat_template": [{"name": "tools", "template": "T"},
                                     {"name": "default", "template": "D"}]})");
  for (const auto& way : {folder.path(), path, folder.path() / "model.safetensors"}) {
    const Tokenizer t = Tokenizer::load(way).take_value();
    EXPECT_EQ(t.bos(), t.find(kBos));
    EXPECT_EQ(t.eos(), t.find("<｜end▁of▁sentence｜>"));
    EXPECT_TRUE(t.is_end(*t.eos()));
    EXPECT_EQ(t.chat_template(), "D");
    EXPECT_EQ(t.encode("x").front(), *t.bos());
  }
  folder.write("chat_template.jinja", "J");
  EXPECT_EQ(Tokenizer::load(path).take_value().chat_template(), "J");
}

TEST(Tokenizer, TakesTheBosOfThePostProcessor) {
  Json json = golden_json("llama3.tokenizer.json");
  json["post_processor"] = Json::parse(R"({"type": "Sequence", "processors": [
      {"type": "ByteLevel"}, {"type": "TemplateProcessing", "single": [
      {"SpecialToken": {"id": "<｜begin▁of▁sentence｜>", "type_id": 0}},
      {"Sequence": {"id": "A", "type_id": 0}}]}]})");
  const Tokenizer t = Tokenizer::from_json_text(json.dump(), "t").take_value();
  EXPECT_EQ(t.encode("x").front(), *t.find(kBos));
  EXPECT_NE(t.encode("x", {.add_bos = false}).front(), *t.find(kBos));
}

}  // namespace
}  // namespace ponder
