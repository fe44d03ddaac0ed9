// The language of a text, by CLD2 (https://github.com/CLD2Owners/cld2), whose tables are part of
// its library.
#include <cstdio>  // before CLD2's header, which needs it

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <algorithm>

#include "data/rules/filters.hpp"

namespace ponder {
namespace {

constexpr size_t kLooked = 1 << 20;  // bytes of a text that are looked at

class Language : public TextFilter {
 public:
  Language() : TextFilter("language") {
    numbers_ = {{"min_score", 0.65, "least share of the text in one of the languages"},
                {"add_fields", 1, "1: the fields language and language_score are added"}};
    lists_ = {{"keep", {"en"}, "codes of the languages that are kept; none: all"}};
    rules_ = {{"language", 0, FilterRule::kBelow}};
  }

  void check(Document& document, FilterScratch& scratch, Measures& measures) const override {
    std::string_view text = scratch.features.text();
    if (text.size() > kLooked) {
      size_t end = kLooked;
      while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
      text = text.substr(0, end);
    }
    CLD2::Language found[3] = {};
    int percent[3] = {}, bytes = 0;
    double scores[3] = {};
    bool reliable = false;
    const CLD2::CLDHints hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
    CLD2::ExtDetectLanguageSummary(text.data(), static_cast<int>(text.size()), true, &hints, 0,
                                   found, percent, scores, nullptr, &bytes, &reliable);
    double score = 0;
    const auto& wanted = list(0);
    for (int i = 0; i < 3; ++i) {
      const std::string code = CLD2::LanguageCode(found[i]);
      if (wanted.empty() || std::find(wanted.begin(), wanted.end(), code) != wanted.end())
        score = std::max(score, percent[i] / 100.0);
    }
    if (number(1) > 0) {
      document.added.emplace_back("language", json_string(CLD2::LanguageCode(found[0])));
      char text_score[16];
      std::snprintf(text_score, sizeof(text_score), "%.2f", percent[0] / 100.0);
      document.added.emplace_back("language_score", text_score);
    }
    measures.take(*this, 0, score);
  }
};

}  // namespace

std::unique_ptr<TextFilter> make_language() { return std::make_unique<Language>(); }

}  // namespace ponder
