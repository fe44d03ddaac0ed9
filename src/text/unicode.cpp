#include "text/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "base/macros.hpp"

namespace ponder {
namespace {

constexpr size_t kCodePoints = 0x110000;

struct ClassRange {
  uint32_t first, last;
  uint8_t classes;
};

constexpr ClassRange kClassRanges[] = {
#include "text/unicode_data.inl"
};

struct CodeRange {
  uint32_t first, last;
};

// https://huggingface.co/deepseek-ai/deepseek-llm-7b-chat, second regex of tokenizer.json.
constexpr CodeRange kWesternLetters[] = {
    {'A', 'Z'},         {'a', 'z'},         {0xb5, 0xb5},       {0xc0, 0xd6},
    {0xd8, 0xf6},       {0xf8, 0x1ba},      {0x1bc, 0x1bf},     {0x1c4, 0x293},
    {0x295, 0x2af},     {0x370, 0x373},     {0x376, 0x377},     {0x37b, 0x37d},
    {0x37f, 0x37f},     {0x386, 0x386},     {0x388, 0x38a},     {0x38c, 0x38c},
    {0x38e, 0x3a1},     {0x3a3, 0x3f5},     {0x3f7, 0x481},     {0x48a, 0x52f},
    {0x531, 0x556},     {0x10a0, 0x10c5},   {0x13a0, 0x13f5},   {0x13f8, 0x13fd},
    {0x1c90, 0x1cba},   {0x1cbd, 0x1cbf},   {0x1d00, 0x1d2b},   {0x1d6b, 0x1d77},
    {0x1d79, 0x1d9a},   {0x1e00, 0x1f15},   {0x1f18, 0x1f1d},   {0x1f20, 0x1f45},
    {0x1f48, 0x1f4d},   {0x1f50, 0x1f57},   {0x1f59, 0x1f59},   {0x1f5b, 0x1f5b},
    {0x1f5d, 0x1f5d},   {0x1f5f, 0x1f7d},   {0x1f80, 0x1fb4},   {0x1fb6, 0x1fbc},
    {0x1fbe, 0x1fbe},   {0x1fc2, 0x1fc4},   {0x1fc6, 0x1fcc},   {0x1fd0, 0x1fd3},
    {0x1fd6, 0x1fdb},   {0x1fe0, 0x1fec},   {0x1ff2, 0x1ff4},   {0x1ff6, 0x1ffc},
    {0x2102, 0x2102},   {0x2107, 0x2107},   {0x210a, 0x2113},   {0x2115, 0x2115},
    {0x2119, 0x211d},   {0x2124, 0x2124},   {0x2126, 0x2126},   {0x2128, 0x2128},
    {0x212a, 0x212d},   {0x212f, 0x2134},   {0x2139, 0x2139},   {0x213c, 0x213f},
    {0x2145, 0x2149},   {0x214e, 0x214e},   {0x2183, 0x2184},   {0x2c00, 0x2c7b},
    {0x2c7e, 0x2ce4},   {0x2ceb, 0x2cee},   {0x2cf2, 0x2cf3},   {0xa640, 0xa66d},
    {0xa680, 0xa69b},   {0xa722, 0xa76f},   {0xa771, 0xa787},   {0xa78b, 0xa78e},
    {0xab70, 0xabbf},   {0xfb00, 0xfb06},   {0xfb13, 0xfb17},   {0xff21, 0xff3a},
    {0xff41, 0xff5a},   {0x10400, 0x1044f}, {0x104b0, 0x104d3}, {0x104d8, 0x104fb},
    {0x10c80, 0x10cb2}, {0x10cc0, 0x10cf2}, {0x118a0, 0x118df}, {0x1e900, 0x1e943}};

// Characters that normal form C never changes, whatever stands beside them, as long as that is one
// of them too. Most text is made of nothing else.
constexpr CodeRange kAlwaysNfc[] = {
    {0, 0x2ff},         {0x370, 0x373},    {0x388, 0x482},   {0x48a, 0x590},   {0x620, 0x64a},
    {0x2010, 0x2027},   {0x2190, 0x21ff},  {0x2500, 0x27ff}, {0x3001, 0x3029}, {0x3030, 0x3098},
    {0x309b, 0x30ff},   {0x3400, 0x4dbf},  {0x4e00, 0x9fff}, {0xac00, 0xd7a3}, {0xff01, 0xffee},
    {0x1f300, 0x1faff}, {0x20000, 0x2a6df}};

// What normal form C treats specially only since Unicode 10. Hugging Face normalises as Unicode 9
// says, so to the models that were trained with it these are characters like others.
constexpr CodeRange kSinceUnicode10[] = {
    {0x7fd, 0x7fd},     {0x898, 0x89f},     {0x8ca, 0x8d3},     {0x9fe, 0x9fe},
    {0xc3c, 0xc3c},     {0xd3b, 0xd3c},     {0xeba, 0xeba},     {0x1715, 0x1715},
    {0x1abf, 0x1ace},   {0x1df6, 0x1dfa},   {0xa82c, 0xa82c},   {0x10d24, 0x10d27},
    {0x10eab, 0x10eac}, {0x10efd, 0x10eff}, {0x10f46, 0x10f50}, {0x10f82, 0x10f85},
    {0x11070, 0x11070}, {0x1133b, 0x1133b}, {0x1145e, 0x1145e}, {0x11839, 0x1183a},
    {0x11930, 0x11930}, {0x11938, 0x11938}, {0x1193d, 0x1193e}, {0x11943, 0x11943},
    {0x119e0, 0x119e0}, {0x11a34, 0x11a34}, {0x11a47, 0x11a47}, {0x11a99, 0x11a99},
    {0x11d42, 0x11d42}, {0x11d44, 0x11d45}, {0x11d97, 0x11d97}, {0x11f41, 0x11f42},
    {0x16ff0, 0x16ff1}, {0x1e08f, 0x1e08f}, {0x1e130, 0x1e136}, {0x1e2ae, 0x1e2ae},
    {0x1e2ec, 0x1e2ef}, {0x1e4ec, 0x1e4ef}};

bool is_in(std::span<const CodeRange> ranges, uint32_t code) {
  const auto range = std::upper_bound(ranges.begin(), ranges.end(), code,
                                      [](uint32_t c, const CodeRange& r) { return c < r.first; });
  return range != ranges.begin() && code <= range[-1].last;
}

// Length of the ASCII text at the start.
size_t ascii_length(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if (word & 0x8080808080808080u) break;
  }
  while (i < text.size() && static_cast<uint8_t>(text[i]) < 0x80) ++i;
  return i;
}

void append_utf8(uint32_t code, std::string& text) {
  std::array<uint8_t, 4> bytes;
  const auto length = utf8proc_encode_char(static_cast<int32_t>(code), bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(length));
}

int combining_class(int32_t code) { return utf8proc_get_property(code)->combining_class; }

// Canonical order: each run of combining characters by class, stable. (The library's own ordering
// takes quadratic time on hostile runs.)
void order_marks(std::span<int32_t> codes) {
  for (size_t i = 0; i < codes.size(); ++i) {
    if (combining_class(codes[i]) == 0) continue;
    size_t end = i + 1;
    while (end < codes.size() && combining_class(codes[end]) != 0) ++end;
    std::stable_sort(codes.begin() + i, codes.begin() + end,
                     [](int32_t a, int32_t b) { return combining_class(a) < combining_class(b); });
    i = end;
  }
}

constexpr auto kNfcOptions = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);

void append_decomposed(uint32_t code, std::vector<int32_t>& codes) {
  std::array<int32_t, 32> parts;  // no character has a canonical decomposition nearly as long
  int boundary = 0;
  const auto count = utf8proc_decompose_char(static_cast<int32_t>(code), parts.data(), parts.size(),
                                             kNfcOptions, &boundary);
  PONDER_CHECK(count >= 0 && static_cast<size_t>(count) <= parts.size());
  codes.insert(codes.end(), parts.begin(), parts.begin() + count);
}

// Orders, composes and writes decomposed text; none is left.
void append_composed(std::vector<int32_t>& codes, std::string& text) {
  order_marks(codes);
  const auto count = utf8proc_normalize_utf32(
      codes.data(), static_cast<utf8proc_ssize_t>(codes.size()), kNfcOptions);
  PONDER_CHECK(count >= 0 && static_cast<size_t>(count) <= codes.size());
  codes.resize(static_cast<size_t>(count));
  for (const int32_t code : codes) append_utf8(static_cast<uint32_t>(code), text);
  codes.clear();
}

}  // namespace

const uint8_t* char_classes() {
  static const std::unique_ptr<uint8_t[]> table = [] {
    auto classes = std::make_unique<uint8_t[]>(kCodePoints);
    for (const ClassRange& range : kClassRanges)
      std::fill(&classes[range.first], &classes[range.last] + 1, range.classes);
    for (const CodeRange& range : kWesternLetters)
      for (uint32_t code = range.first; code <= range.last; ++code) classes[code] |= kWesternLetter;
    return classes;
  }();
  return table.get();
}

std::string western_letter_set() {
  std::string set = "[";
  for (const CodeRange& range : kWesternLetters) {
    append_utf8(range.first, set);
    if (range.last > range.first + 1) set += '-';
    if (range.last > range.first) append_utf8(range.last, set);
  }
  return set + "]";
}

Utf8Step utf8_step(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {Utf8Step::kCharacter, 1};
  if (lead < 0xc2 || lead > 0xf4) return {Utf8Step::kBroken, 1};
  const size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
  const uint8_t least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const uint8_t most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {Utf8Step::kUnfinished, i};
    const bool fits = i == 1 ? byte(1) >= least && byte(1) <= most : (byte(i) & 0xc0) == 0x80;
    if (!fits) return {Utf8Step::kBroken, i};
  }
  return {Utf8Step::kCharacter, length};
}

std::optional<std::string> repaired_utf8(std::string_view text) {
  size_t good = 0;  // the text up to here is UTF-8
  const auto advance = [&] {
    while (good < text.size()) {
      good += ascii_length(text.substr(good));
      if (good == text.size()) return;
      const Utf8Step step = utf8_step(text.substr(good));
      if (step.kind != Utf8Step::kCharacter) return;
      good += step.length;
    }
  };
  advance();
  if (good == text.size()) return std::nullopt;
  std::string repaired;
  repaired.reserve(text.size() + 16);
  for (size_t copied = 0; copied < text.size();) {
    repaired.append(text.substr(copied, good - copied));
    if (good == text.size()) break;
    repaired += "\uFFFD";
    good += utf8_step(text.substr(good)).length;
    copied = good;
    advance();
  }
  return repaired;
}

std::optional<std::string> normalized_nfc(std::string_view text) {
  bool done = true;
  for (size_t i = 0; done && i < text.size();) {
    const Char c = decode_char(text, i);
    done = is_in(kAlwaysNfc, c.code);
    i += c.length;
  }
  if (done) return std::nullopt;
  std::string normalized;
  normalized.reserve(text.size());
  std::vector<int32_t> codes;  // decomposed, not yet composed
  for (size_t i = 0; i < text.size();) {
    const Char c = decode_char(text, i);
    i += c.length;
    if (is_in(kSinceUnicode10, c.code)) {
      append_composed(codes, normalized);
      append_utf8(c.code, normalized);
    } else {
      append_decomposed(c.code, codes);
    }
  }
  append_composed(codes, normalized);
  return normalized;
}

std::string_view stripped(std::string_view text) {
  const uint8_t* classes = char_classes();
  // Python also strips the four separators U+001C…U+001F. Bytes that are no UTF-8 stay.
  const auto starts_with_space = [&](std::string_view part) {
    if (utf8_step(part).kind != Utf8Step::kCharacter) return false;
    const uint32_t code = decode_char(part, 0).code;
    return (classes[code] & kSpace) != 0 || (code >= 0x1c && code <= 0x1f);
  };
  while (!text.empty() && starts_with_space(text)) text.remove_prefix(utf8_step(text).length);
  while (!text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 && (static_cast<uint8_t>(text[start]) & 0xc0) == 0x80) --start;
    const std::string_view last = text.substr(start);
    if (!starts_with_space(last) || utf8_step(last).length != last.size()) break;
    text.remove_suffix(last.size());
  }
  return text;
}

}  // namespace ponder
