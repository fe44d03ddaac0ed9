#include "text/stream_decoder.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"

namespace ponder {
namespace {

Tokenizer tokenizer() {
  return Tokenizer::load("tests/golden/text/deepseek-v3.tokenizer.json").take_value();
}

// One token per byte, as a model may choose to write.
std::vector<int32_t> byte_tokens(const Tokenizer& tokenizer, std::string_view bytes) {
  std::vector<int32_t> ids;
  for (const char byte : bytes) ids.push_back(*tokenizer.find({&byte, 1}));
  return ids;
}

TEST(StreamDecoder, HoldsBackUnfinishedCharacters) {
  const Tokenizer t = tokenizer();
  StreamDecoder decoder(t);
  const auto ids = byte_tokens(t, "a\u00e9\U0001F600b");
  std::vector<std::string> parts;
  for (const int32_t id : ids) parts.push_back(decoder.push(id));
  const std::vector<std::string> expected = {"a", "", "\u00e9", "", "", "", "\U0001F600", "b"};
  EXPECT_EQ(parts, expected);
  EXPECT_EQ(decoder.finish(), "");
}

TEST(StreamDecoder, ReplacesWhatCannotBecomeACharacter) {
  const Tokenizer t = tokenizer();
  for (const std::string_view bytes :
       {"\xff", "\xe4\xbd", "\xe4\xbdz", "\xc0\x80", "\xf0\x9f\x98\xe4\xbd\xa0", "\xed\xa0\x80",
        "\x80\x80z", "\xf4\x90\x80\x80", "ab\xe2\x82"}) {
    const auto ids = byte_tokens(t, bytes);
    StreamDecoder decoder(t);
    std::string text;
    for (const int32_t id : ids) text += decoder.push(id);
    EXPECT_EQ(text + decoder.finish(), t.decode(ids));
    EXPECT_EQ(decoder.finish(), "") << "as new after the end";
  }
}

TEST(StreamDecoder, CertainAtTheEarliestByte) {
  const Tokenizer t = tokenizer();
  StreamDecoder decoder(t);
  const auto ids = byte_tokens(t, "\xe4\xff");
  EXPECT_EQ(decoder.push(ids[0]), "");
  EXPECT_EQ(decoder.push(ids[1]), "\uFFFD\uFFFD");
}

TEST(StreamDecoder, LeavesOutSpecialTokensButNotAddedOnes) {
  const Tokenizer t = tokenizer();
  const auto eos = *t.find("<｜end▁of▁sentence｜>"), think = *t.find("<think>");
  StreamDecoder skipping(t), keeping(t, false);
  EXPECT_EQ(skipping.push(eos), "");
  EXPECT_EQ(skipping.push(think), "<think>");
  EXPECT_EQ(keeping.push(eos), "<｜end▁of▁sentence｜>");
  EXPECT_EQ(skipping.push(-1), "");
}

}  // namespace
}  // namespace ponder
