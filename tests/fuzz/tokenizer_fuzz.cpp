// Tokenizers: any text as tokenizer.json. What loads encodes text, the input itself included, and
// gives back what it was given.
#include "text/stream_decoder.hpp"
#include "text/tokenizer.hpp"
#include "text/unicode.hpp"

namespace {

using namespace ponder;

void use(const Tokenizer& tokenizer, std::string_view text) {
  const std::vector<int32_t> ids = tokenizer.encode(text, {.add_bos = false});
  StreamDecoder stream(tokenizer, false);
  std::string streamed;
  for (const int32_t id : ids) {
    if (id < 0 || id >= tokenizer.vocab_size()) __builtin_trap();
    streamed += stream.push(id);
  }
  streamed += stream.finish();
  if (streamed != tokenizer.decode(ids) || repaired_utf8(streamed)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // What stands behind a zero byte is text to encode with the tokenizer in front of it.
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = input.find('\0');
  const auto tokenizer = Tokenizer::from_json_text(input.substr(0, zero), "input");
  if (!tokenizer.ok()) return 0;
  use(tokenizer.value(), input);
  use(tokenizer.value(), "It's 12345 words,\r\n  \tein K\u00e4se \u4f60\u597d \U0001F600\xff");
  if (zero != std::string_view::npos) use(tokenizer.value(), input.substr(zero + 1));
  return 0;
}
