// Reads a pattern or a grammar character by character.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "text/unicode.hpp"

namespace ponder {

// `text` is UTF-8. Behind its end peek() is 0, which may also be in the text: ask done().
struct TextCursor {
  std::string_view text;
  size_t at = 0;

  bool done() const { return at >= text.size(); }
  char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }
  bool sees(std::string_view word) const { return text.substr(at).starts_with(word); }
  bool eat(std::string_view word) {
    if (!sees(word)) return false;
    at += word.size();
    return true;
  }
  // The next character; not at the end.
  uint32_t take() {
    const Char next = decode_char(text, at);
    at += next.length;
    return next.code;
  }
  // A decimal number; values above `most` become `most` + 1.
  std::optional<int64_t> number(int64_t most) {
    if (!is_digit(peek())) return {};
    int64_t value = 0;
    for (; is_digit(peek()); ++at) value = std::min(most + 1, value * 10 + (peek() - '0'));
    return value;
  }
  // `digits` hexadecimal digits, all of them.
  std::optional<uint32_t> hex(int digits) {
    uint32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const int digit = hex_digit(peek(static_cast<size_t>(i)));
      if (digit < 0) return {};
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    at += static_cast<size_t>(digits);
    return value;
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  static int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  }
};

// `{least,most}` behind a part, and what the signs * + ? mean.
struct RepeatCount {
  int64_t least = 0, most = 0;  // −1: without end
};
constexpr int64_t kMostRepeat = 16'384;

}  // namespace ponder
