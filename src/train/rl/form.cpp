#include "train/rl/form.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "judge/format.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr std::string_view kOpen = "<think>", kClose = "</think>";

enum class Script { kOther, kLatin, kGreek, kCyrillic, kHan, kKana, kHangul };

struct ScriptRange {
  uint32_t first, last;
  Script script;
};

// Blocks of letters (Unicode 16, Blocks.txt), ascending.
constexpr ScriptRange kRanges[] = {
    {0x41, 0x24f, Script::kLatin},     {0x370, 0x3ff, Script::kGreek},
    {0x400, 0x52f, Script::kCyrillic}, {0x1100, 0x11ff, Script::kHangul},
    {0x1e00, 0x1eff, Script::kLatin},  {0x1f00, 0x1fff, Script::kGreek},
    {0x3005, 0x3007, Script::kHan},    {0x3041, 0x30ff, Script::kKana},
    {0x3130, 0x318f, Script::kHangul}, {0x31f0, 0x31ff, Script::kKana},
    {0x3400, 0x4dbf, Script::kHan},    {0x4e00, 0x9fff, Script::kHan},
    {0xac00, 0xd7af, Script::kHangul}, {0xf900, 0xfaff, Script::kHan},
    {0xff21, 0xff5a, Script::kLatin},  {0xff66, 0xff9d, Script::kKana},
    {0x20000, 0x323af, Script::kHan},
};

Script script_of(uint32_t code) {
  const auto* const range = std::partition_point(
      std::begin(kRanges), std::end(kRanges), [&](const ScriptRange& r) { return r.last < code; });
  return range != std::end(kRanges) && range->first <= code ? range->script : Script::kOther;
}

struct Language {
  std::string_view name;
  Script script, also;
};

constexpr Language kLanguages[] = {
    {"en", Script::kLatin, Script::kLatin},       {"de", Script::kLatin, Script::kLatin},
    {"fr", Script::kLatin, Script::kLatin},       {"es", Script::kLatin, Script::kLatin},
    {"it", Script::kLatin, Script::kLatin},       {"pt", Script::kLatin, Script::kLatin},
    {"nl", Script::kLatin, Script::kLatin},       {"ru", Script::kCyrillic, Script::kCyrillic},
    {"uk", Script::kCyrillic, Script::kCyrillic}, {"zh", Script::kHan, Script::kHan},
    {"ja", Script::kHan, Script::kKana},          {"ko", Script::kHangul, Script::kHangul},
    {"el", Script::kGreek, Script::kGreek}};

const Language* find_language(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kLanguages), std::end(kLanguages),
                   [&](const Language& language) { return language.name == name; });
  return found == std::end(kLanguages) ? nullptr : found;
}

bool stands_alone(Script script) { return script == Script::kHan || script == Script::kKana; }

}  // namespace

Result<FormKind> form_kind_by_name(std::string_view name) {
  if (name == "any") return FormKind::kAny;
  if (name == "think") return FormKind::kThink;
  if (name == "think_answer") return FormKind::kThinkAnswer;
  return Failure{{.what = "unknown form of answers \"" + std::string(name) + "\"",
                  .mend = "use any, think or think_answer"}};
}

bool has_form(std::string_view text, FormKind form, bool starts_inside) {
  if (form == FormKind::kAny) return true;
  return form_objection(text, {.prompt_opens_think = starts_inside,
                               .answer_tags = form == FormKind::kThinkAnswer})
      .empty();
}

std::string_view thoughts_of(std::string_view text, bool starts_inside) {
  if (!starts_inside) {
    const size_t open = text.find(kOpen);
    if (open == std::string_view::npos) return {};
    text.remove_prefix(open + kOpen.size());
  }
  const size_t end = text.find(kClose);
  return text.substr(0, end);
}

bool knows_language(std::string_view language) { return find_language(language) != nullptr; }

double language_share(std::string_view text, std::string_view language) {
  const Language* wanted = find_language(language);
  PONDER_CHECK(wanted != nullptr);
  const std::optional<std::string> repaired = repaired_utf8(text);
  if (repaired) text = *repaired;
  int64_t words = 0, fitting = 0;
  Script before = Script::kOther;  // of the word that goes on
  bool inside = false;
  for (size_t i = 0; i < text.size();) {
    const Char c = decode_char(text, i);
    i += c.length;
    if ((char_classes()[c.code] & kLetter) == 0) {
      inside = inside && (char_classes()[c.code] & kMark) != 0;
      continue;
    }
    const Script script = script_of(c.code);
    if (!inside || stands_alone(script) || script != before) {
      ++words;
      fitting += script == wanted->script || script == wanted->also ? 1 : 0;
    }
    inside = true;
    before = script;
  }
  return words == 0 ? 1.0 : static_cast<double>(fitting) / static_cast<double>(words);
}

}  // namespace ponder
