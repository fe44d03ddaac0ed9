// Characters and lines as Python's str sees them, over UTF-8: what the published filters count.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/unicode.hpp"

namespace ponder {

// A piece of a text: bytes [begin, end).
struct TextSpan {
  uint32_t begin = 0;
  uint32_t end = 0;

  uint32_t size() const { return end - begin; }
  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
};

// str.isspace() of one character.
inline bool is_python_space(uint32_t code) {
  if (code <= 0x20) return code == 0x20 || (code >= 9 && code <= 13) || (code >= 28 && code <= 31);
  if (code < 0x80) return false;
  return code == 0x85 || code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) ||
         code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

// Number of characters of valid UTF-8.
inline size_t count_chars(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<uint8_t>(c) & 0xc0) != 0x80;
  return count;
}

// Number of places where `part` begins, none inside another: str.count.
inline size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

// str.splitlines(): lines end at any of Python's line ends, which are left out; no line behind the
// last end.
void python_lines(std::string_view text, std::vector<TextSpan>& lines);

// str.split("\n"): always at least one line.
void plain_lines(std::string_view text, std::vector<TextSpan>& lines);

// re.split("\n{least,}", text): pieces between runs of at least so many line feeds.
void split_at_line_feeds(std::string_view text, size_t least, std::vector<TextSpan>& pieces);

// Without white space in front, as str.lstrip() sees it.
std::string_view left_stripped(std::string_view text);

// Whether `text` holds `lower`, which is ASCII in lower case, in whatever case.
bool contains_any_case(std::string_view text, std::string_view lower);

}  // namespace ponder
