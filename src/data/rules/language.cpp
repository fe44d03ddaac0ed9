// The language of a text, by CLD2 (https://github.com/CLD2Owners/cld2), whose tables are part of
// its library, or by a model of fastText that the user has, for example lid.176.ftz
// (https://fasttext.cc/docs/en/language-identification.html).
#include <cstdio>  // before CLD2's header, which needs it

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <algorithm>
#include <optional>

#include "data/rules/filters.hpp"
#include "data/text/fasttext_model.hpp"

namespace ponder {
namespace {

constexpr size_t kLooked = 1 << 20;  // bytes of a text that are looked at

struct LanguageShare {
  std::string code;
  double share;
};

// At most three, the first first; shares of the bytes.
std::vector<LanguageShare> cld2_languages(std::string_view text) {
  CLD2::Language found[3] = {};
  int percent[3] = {}, bytes = 0;
  double scores[3] = {};
  bool reliable = false;
  const CLD2::CLDHints hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
  CLD2::ExtDetectLanguageSummary(text.data(), static_cast<int>(text.size()), true, &hints, 0, found,
                                 percent, scores, nullptr, &bytes, &reliable);
  std::vector<LanguageShare> languages;
  for (int i = 0; i < 3; ++i)
    languages.push_back({CLD2::LanguageCode(found[i]), percent[i] / 100.0});
  return languages;
}

// Probabilities of all languages that the model knows.
std::vector<LanguageShare> model_languages(const FastTextModel& model, std::string_view text) {
  std::vector<LanguageShare> languages;
  for (const auto& [label, probability] : model.guesses(text, -1))
    languages.push_back({label, probability});
  if (languages.empty()) languages.push_back({"un", 0});  // as CLD2 calls the unknown
  return languages;
}

class Language : public TextFilter {
 public:
  Language() : TextFilter("language") {
    numbers_ = {{"min_score", 0.65,
                 "least share of the text in one of the languages; with a model its probability"},
                {"add_fields", 1, "1: the fields language and language_score are added"}};
    lists_ = {{"keep", {"en"}, "codes of the languages that are kept; none: all"},
              {"model", {}, "a model of fastText, for example lid.176.ftz; none: CLD2"}};
    rules_ = {{"language", 0, FilterRule::kBelow}};
  }

  Result<void> prepare() override {
    if (list(1).empty()) return {};
    if (list(1).size() > 1)
      return Failure{{.what = "more than one model is named", .where = "language.model"}};
    model_ = PONDER_TRY(FastTextModel::load(list(1)[0]));
    for (const std::string& code : list(0))
      if (std::find(model_->labels().begin(), model_->labels().end(), code) ==
          model_->labels().end())
        return Failure{{.what = "the model knows no language " + code, .where = list(1)[0]}};
    return {};
  }

  void check(Document& document, FilterScratch& scratch, Measures& measures) const override {
    std::string_view text = scratch.features.text();
    if (text.size() > kLooked) {
      size_t end = kLooked;
      while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
      text = text.substr(0, end);
    }
    const auto languages = model_ ? model_languages(*model_, text) : cld2_languages(text);
    double score = 0;
    const auto& wanted = list(0);
    for (const auto& [code, share] : languages)
      if (wanted.empty() || std::find(wanted.begin(), wanted.end(), code) != wanted.end())
        score = std::max(score, share);
    if (number(1) > 0) {
      document.added.emplace_back("language", json_string(languages[0].code));
      char text_score[16];
      std::snprintf(text_score, sizeof(text_score), "%.2f", languages[0].share);
      document.added.emplace_back("language_score", text_score);
    }
    measures.take(*this, 0, score);
  }

 private:
  std::optional<FastTextModel> model_;
};

}  // namespace

std::unique_ptr<TextFilter> make_language() { return std::make_unique<Language>(); }

}  // namespace ponder
