// Vocabularies made for a test, and texts cut into tokens in every way.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.hpp"
#include "text/tokenizer.hpp"
#include "text/unicode.hpp"

namespace ponder {

// The character that stands for each byte in a byte-level vocabulary (GPT-2).
inline std::string byte_letter(unsigned char byte) {
  int code = byte;
  if (byte < 33 || (byte > 126 && byte < 161) || byte == 173) {
    code = 256;
    for (int i = 0; i < byte; ++i)
      if (i < 33 || (i > 126 && i < 161) || i == 173) ++code;
  }
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
}

// Tokens: all bytes (ids 0 to 255), then the end of text, then `special`, which are left out of
// text, then each piece that is no token yet.
inline Tokenizer tokenizer_with(const std::vector<std::string>& pieces,
                                const std::vector<std::string>& special = {}) {
  Json vocabulary = Json::object(), added = Json::array();
  for (int byte = 0; byte < 256; ++byte)
    vocabulary[byte_letter(static_cast<unsigned char>(byte))] = byte;
  std::vector<std::string> names = {"<end>"};
  const auto add = [&](const std::string& text, bool is_special) {
    if (text.size() < 2 || repaired_utf8(text) ||
        (text != "<end>" && std::find(names.begin(), names.end(), text) != names.end()))
      return;
    if (text != "<end>") names.push_back(text);
    added.push_back({{"id", 256 + added.size()},
                     {"content", text},
                     {"special", is_special},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false}});
  };
  add("<end>", true);
  for (const std::string& text : special) add(text, true);
  for (const std::string& text : pieces) add(text, false);
  const Json split = {{"type", "Split"},
                      {"pattern",
                       {{"Regex",
                         "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
                         "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
                         "\\s+(?!\\S)|\\s+"}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const Json json = {
      {"added_tokens", added},
      {"normalizer", {{"type", "NFC"}}},
      {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}}},
      {"decoder", {{"type", "ByteLevel"}}},
      {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", Json::array()}}}};
  return Tokenizer::from_json_text(json.dump(), "test", R"({"eos_token": "<end>"})").take_value();
}

// The token of each piece; a piece that is none goes byte by byte.
inline std::vector<int32_t> tokens_of(const Tokenizer& tokenizer,
                                      const std::vector<std::string>& pieces) {
  std::vector<int32_t> tokens;
  for (const std::string& piece : pieces) {
    const auto whole = tokenizer.find(piece);
    if (whole) tokens.push_back(*whole);
    if (!whole)
      for (const char byte : piece) tokens.push_back(static_cast<unsigned char>(byte));
  }
  return tokens;
}

// Where a text may be cut so that characters and `marks` stay whole: each piece is one of these.
inline std::vector<std::string> units(std::string_view text,
                                      const std::vector<std::string>& marks) {
  std::vector<std::string> result;
  while (!text.empty()) {
    size_t size = std::max<size_t>(utf8_step(text).length, 1);
    for (const std::string& mark : marks)
      if (text.starts_with(mark)) size = std::max(size, mark.size());
    result.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return result;
}

}  // namespace ponder
