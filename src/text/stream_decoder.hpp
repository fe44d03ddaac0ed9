// Text from tokens as they arrive, never half a character.
#pragma once

#include <cstdint>
#include <string>

#include "text/tokenizer.hpp"
#include "text/traced_text.hpp"

namespace ponder {

// Everything that push() and finish() return, put together, equals Tokenizer::decode of all ids.
class StreamDecoder {
 public:
  explicit StreamDecoder(Tokenizer tokenizer, bool skip_special = true)
      : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

  // The text that is complete now. Bytes that cannot become a character any more give U+FFFD.
  std::string push(int32_t id);
  // What is left at the end: an unfinished character becomes U+FFFD. The decoder is then as new.
  std::string finish();

 private:
  Tokenizer tokenizer_;
  bool skip_special_;
  TracedText pending_;  // at most 3 bytes: the start of a character
};

}  // namespace ponder
