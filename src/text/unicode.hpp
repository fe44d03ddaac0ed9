// UTF-8 and Unicode as tokenizers need them: classes of characters, repair, normal form C.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ponder {

// Bits of a character's classes: general categories, and two sets that regexes name.
enum CharClass : uint8_t {
  kLetter = 1,
  kNumber = 2,
  kPunctuation = 4,
  kSymbol = 8,
  kMark = 16,
  kSpace = 32,          // \s: the property White_Space
  kLineBreak = 64,      // \r and \n only
  kWesternLetter = 128  // the alphabets that the pre-tokenizer of DeepSeek-LLM lists
};

// The letters of kWesternLetter as that regex writes them: "[A-Za-zµÀ-Ö…]".
std::string western_letter_set();

// One byte of CharClass bits per code point, 0x110000 of them. Unicode 16.
const uint8_t* char_classes();

struct Char {
  uint32_t code = 0;
  uint32_t length = 0;  // bytes; 0 behind the end of the text
};

// The character at `position` of text that is known to be UTF-8.
inline Char decode_char(std::string_view text, size_t position) {
  if (position >= text.size()) return {};
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[position + i]); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xe0) return {(lead & 0x1f) << 6 | (byte(1) & 0x3fu), 2};
  if (lead < 0xf0) return {(lead & 0xf) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu), 3};
  return {(lead & 7) << 18 | (byte(1) & 0x3fu) << 12 | (byte(2) & 0x3fu) << 6 | (byte(3) & 0x3fu),
          4};
}

// What the bytes at the start of a text (not empty) are.
struct Utf8Step {
  enum Kind {
    kCharacter,
    kBroken,     // `length` bytes that together become one U+FFFD, and no more will change that
    kUnfinished  // all that is left: the start of a character, not wrong so far
  } kind;
  size_t length;
};
Utf8Step utf8_step(std::string_view text);

// U+FFFD for each maximal part that is no UTF-8 (Unicode 16, section 3.9: what Python and Rust do
// too). Nothing if the text is UTF-8 already.
std::optional<std::string> repaired_utf8(std::string_view text);

// Normal form C of Unicode 9, which Hugging Face has; nothing if the text, which must be UTF-8, is
// in it already for simple reasons.
std::optional<std::string> normalized_nfc(std::string_view text);

// Without white space at either end, as Python's str.strip() sees it. Any bytes will do.
std::string_view stripped(std::string_view text);

}  // namespace ponder
