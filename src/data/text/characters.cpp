#include "data/text/characters.hpp"

#include <cstring>

namespace ponder {
namespace {

TextSpan span(size_t begin, size_t end) {
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
}

// Bytes of the line end at `at`; 0 if there is none.
size_t line_end(std::string_view text, size_t at) {
  const auto byte = static_cast<uint8_t>(text[at]);
  if (byte >= 0x80) {
    if (byte == 0xc2 && at + 1 < text.size() && text[at + 1] == '\x85') return 2;
    const bool separator = byte == 0xe2 && at + 2 < text.size() && text[at + 1] == '\x80' &&
                           (text[at + 2] == '\xa8' || text[at + 2] == '\xa9');
    return separator ? 3 : 0;
  }
  if (byte == '\r') return at + 1 < text.size() && text[at + 1] == '\n' ? 2 : 1;
  return (byte >= 10 && byte <= 12) || (byte >= 28 && byte <= 30) ? 1 : 0;
}

char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

void python_lines(std::string_view text, std::vector<TextSpan>& lines) {
  lines.clear();
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<uint8_t>(text[at]);
    if (byte > 30 && byte != 0xc2 && byte != 0xe2) {
      ++at;
      continue;
    }
    const size_t length = line_end(text, at);
    if (length > 0) {
      lines.push_back(span(begin, at));
      begin = at + length;
    }
    at += length > 0 ? length : 1;
  }
  if (begin < text.size()) lines.push_back(span(begin, text.size()));
}

void plain_lines(std::string_view text, std::vector<TextSpan>& lines) {
  lines.clear();
  size_t begin = 0;
  for (size_t end = text.find('\n'); end != text.npos; end = text.find('\n', begin)) {
    lines.push_back(span(begin, end));
    begin = end + 1;
  }
  lines.push_back(span(begin, text.size()));
}

void split_at_line_feeds(std::string_view text, size_t least, std::vector<TextSpan>& pieces) {
  pieces.clear();
  size_t begin = 0;
  for (size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at)) {
    size_t behind = at;
    while (behind < text.size() && text[behind] == '\n') ++behind;
    if (behind - at >= least) {
      pieces.push_back(span(begin, at));
      begin = behind;
    }
    at = behind;
  }
  pieces.push_back(span(begin, text.size()));
}

std::string_view left_stripped(std::string_view text) {
  while (!text.empty()) {
    const Char c = decode_char(text, 0);
    if (!is_python_space(c.code)) break;
    text.remove_prefix(c.length);
  }
  return text;
}

bool contains_any_case(std::string_view text, std::string_view lower) {
  const char first[3] = {lower[0], static_cast<char>(lower[0] - 32), 0};
  for (size_t at = text.find_first_of(first); at != text.npos;
       at = text.find_first_of(first, at + 1)) {
    if (text.size() - at < lower.size()) return false;
    size_t i = 1;
    while (i < lower.size() && lower_ascii(text[at + i]) == lower[i]) ++i;
    if (i == lower.size()) return true;
  }
  return false;
}

}  // namespace ponder
