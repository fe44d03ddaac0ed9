#include "judge/language.hpp"

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <algorithm>
#include <string>
#include <vector>

#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr size_t kMostBytes = 1 << 20;
constexpr int kSureBytes = 40;  // of a stretch: less says little about its language

enum class Script {
  kNone,
  kLatin,
  kHan,
  kKana,
  kHangul,
  kCyrillic,
  kGreek,
  kArabic,
  kHebrew,
  kDevanagari,
  kThai,
  kOther
};

struct ScriptRange {
  uint32_t first, last;
  Script script;
};
constexpr ScriptRange kRanges[] = {
    {0x41, 0x24f, Script::kLatin},     {0x370, 0x3ff, Script::kGreek},
    {0x400, 0x52f, Script::kCyrillic}, {0x590, 0x5ff, Script::kHebrew},
    {0x600, 0x77f, Script::kArabic},   {0x900, 0x97f, Script::kDevanagari},
    {0xe00, 0xe7f, Script::kThai},     {0x1100, 0x11ff, Script::kHangul},
    {0x1e00, 0x1eff, Script::kLatin},  {0x1f00, 0x1fff, Script::kGreek},
    {0x3040, 0x30ff, Script::kKana},   {0x3400, 0x4dbf, Script::kHan},
    {0x4e00, 0x9fff, Script::kHan},    {0xac00, 0xd7af, Script::kHangul},
    {0x20000, 0x3134f, Script::kHan},
};

Script script_of(uint32_t code) {
  if ((char_classes()[code] & (kLetter | kMark)) == 0) return Script::kNone;
  for (const ScriptRange& range : kRanges)
    if (code >= range.first && code <= range.last) return range.script;
  return Script::kOther;
}

bool without_spaces(Script script) { return script == Script::kHan || script == Script::kKana; }

CLD2::Language language_named(std::string_view code) {
  return CLD2::GetLanguageFromName(std::string(code).c_str());
}

bool is_written_in(CLD2::Language language, Script script) {
  constexpr std::pair<std::string_view, Script> kCodes[] = {
      {"Latn", Script::kLatin},      {"Hani", Script::kHan},    {"Hira", Script::kKana},
      {"Kana", Script::kKana},       {"Hang", Script::kHangul}, {"Cyrl", Script::kCyrillic},
      {"Grek", Script::kGreek},      {"Arab", Script::kArabic}, {"Hebr", Script::kHebrew},
      {"Deva", Script::kDevanagari}, {"Thai", Script::kThai}};
  if (script == Script::kKana || script == Script::kHangul)
    return language == (script == Script::kKana ? CLD2::JAPANESE : CLD2::KOREAN);
  if (script == Script::kHan)
    return language == CLD2::CHINESE || language == CLD2::CHINESE_T || language == CLD2::JAPANESE;
  for (int i = 0; i < 4; ++i) {
    const std::string_view code = CLD2::ULScriptCode(CLD2::LanguageRecognizedScript(language, i));
    for (const auto& [name, known] : kCodes)
      if (code == name && known == script) return true;
  }
  return false;
}

// Code, formulas, commands and tags become spaces, so that places stay the same.
std::string prose_of(std::string_view text) {
  std::string prose(text);
  const auto blank = [&](std::string_view open, std::string_view close, size_t most) {
    for (size_t at = 0; (at = prose.find(open, at)) != std::string::npos;) {
      const size_t start = at + open.size();
      const size_t end = std::string_view(prose).substr(start, most).find(close);
      at = start;
      if (end == std::string::npos) continue;
      const auto first = prose.begin() + static_cast<std::ptrdiff_t>(start - open.size());
      at = start + end + close.size();
      std::fill(first, prose.begin() + static_cast<std::ptrdiff_t>(at), ' ');
    }
  };
  constexpr size_t kCode = 20'000, kFormula = 500, kTag = 30;
  blank("```", "```", kCode);
  blank("$$", "$$", kFormula);
  blank("$", "$", kFormula);
  blank("\\(", "\\)", kFormula);
  blank("\\[", "\\]", kFormula);
  blank("`", "`", kFormula);
  blank("<", ">", kTag);
  for (size_t at = 0; (at = prose.find('\\', at)) != std::string::npos;) {
    do prose[at++] = ' ';
    while (at < prose.size() && ((prose[at] | 32) >= 'a' && (prose[at] | 32) <= 'z'));
  }
  return prose;
}

// The language of the stretch at `at`; unknown where CLD2 is not sure.
CLD2::Language language_at(const CLD2::ResultChunkVector& chunks, size_t at) {
  const auto next = std::upper_bound(chunks.begin(), chunks.end(), at,
                                     [](size_t place, const CLD2::ResultChunk& chunk) {
                                       return place < static_cast<size_t>(chunk.offset);
                                     });
  if (next == chunks.begin()) return CLD2::UNKNOWN_LANGUAGE;
  const CLD2::ResultChunk& chunk = *std::prev(next);
  const bool sure = chunk.bytes >= kSureBytes &&
                    at < static_cast<size_t>(chunk.offset) + static_cast<size_t>(chunk.bytes);
  return sure ? static_cast<CLD2::Language>(chunk.lang1) : CLD2::UNKNOWN_LANGUAGE;
}

CLD2::ResultChunkVector chunks_of(const std::string& prose) {
  CLD2::ResultChunkVector chunks;
  CLD2::CLDHints hints{nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
  CLD2::Language languages[3];
  int percents[3], bytes;
  double scores[3];
  bool reliable = false;
  CLD2::ExtDetectLanguageSummary(prose.data(), static_cast<int>(prose.size()), true, &hints, 0,
                                 languages, percents, scores, &chunks, &bytes, &reliable);
  return chunks;
}

}  // namespace

bool is_known_language(std::string_view language) {
  return language_named(language) != CLD2::UNKNOWN_LANGUAGE;
}

double language_share(std::string_view text, std::string_view language) {
  text = text.substr(0, kMostBytes);
  const auto repaired = repaired_utf8(text);
  const std::string prose = prose_of(repaired ? *repaired : text);
  const CLD2::Language wanted = language_named(language);
  const CLD2::ResultChunkVector chunks = chunks_of(prose);
  int64_t words = 0, ours = 0;
  Script last = Script::kNone;
  for (size_t at = 0; at < prose.size();) {
    const Char character = decode_char(prose, at);
    const Script script = script_of(character.code);
    const bool begins = script != Script::kNone && (script != last || without_spaces(script));
    if (begins) {
      ++words;
      const CLD2::Language found = language_at(chunks, at);
      const bool same =
          found == wanted || found == CLD2::UNKNOWN_LANGUAGE || !is_written_in(found, script);
      ours += is_written_in(wanted, script) && same;
    }
    last = script;
    at += character.length;
  }
  return words == 0 ? 1 : static_cast<double>(ours) / static_cast<double>(words);
}

}  // namespace ponder
