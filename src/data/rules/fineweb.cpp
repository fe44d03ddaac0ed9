// The rules that FineWeb adds (Penedo et al. 2024, arXiv:2406.17557, section 3.6), with the details
// of datatrove's FineWebQualityFilter.
#include <array>

#include "data/rules/duplicates.hpp"
#include "data/rules/filters.hpp"

namespace ponder {
namespace {

// The last character of a text that is not empty.
uint32_t last_char(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xc0) == 0x80) --at;
  return decode_char(text, at).code;
}

class FineWebQuality : public TextFilter {
 public:
  enum Number {
    kPunctuated,
    kShortLines,
    kDuplicates,
    kNewLines,
    kShortLength,
    kExcludeZero,
    kMinLines
  };
  enum Test { kEmpty, kPunctRatio, kShortRatio, kDupRatio, kListRatio };

  FineWebQuality() : TextFilter("fineweb_quality") {
    numbers_ = {{"line_punct_ratio", 0.12, "least share of lines that end with punctuation"},
                {"short_line_ratio", 0.67, "largest share of short lines"},
                {"char_dup_ratio", 0.01, "largest share of characters in repeated lines"},
                {"new_line_ratio", 0.3, "largest number of line feeds for each word"},
                {"short_line_length", 30, "characters of a short line"},
                {"exclude_zero", 0, "1: no punctuated line at all is no reason"},
                {"min_lines", 1, "least number of lines that are not blank"}};
    rules_ = {{"empty", kMinLines, FilterRule::kBelow},
              {"line_punct_ratio", kPunctuated, FilterRule::kBelow},
              {"short_line_ratio", kShortLines, FilterRule::kAbove},
              {"char_dup_ratio", kDuplicates, FilterRule::kAbove},
              {"list_ratio", kNewLines, FilterRule::kAbove}};
  }

  void check(Document&, FilterScratch& scratch, Measures& measures) const override {
    TextFeatures& features = scratch.features;
    const std::string_view text = features.text();
    thread_local std::vector<TextSpan> lines;
    lines.clear();
    size_t punctuated = 0, short_lines = 0;
    for (const TextSpan& span : features.line_feed_lines()) {
      const std::string_view line = span.of(text);
      if (stripped(line).empty()) continue;
      lines.push_back(span);
      punctuated += (word_classes()[last_char(line)] & kTerminalChar) != 0;
      short_lines += static_cast<double>(count_chars(line)) <= number(kShortLength);
    }
    const auto count = static_cast<double>(lines.size());
    if (measures.take(*this, kEmpty, count) || lines.empty()) return;
    const double ratio = static_cast<double>(punctuated) / count;
    const bool excused = punctuated == 0 && number(kExcludeZero) > 0;
    if (!excused && measures.take(*this, kPunctRatio, ratio)) return;
    if (measures.take(*this, kShortRatio, static_cast<double>(short_lines) / count)) return;
    thread_local HashCounter seen;
    const size_t duplicate_chars = find_duplicates(text, lines, seen).chars;
    const size_t feeds = features.line_feed_lines().size() - 1;
    const auto chars = static_cast<double>(features.chars() - feeds);
    if (measures.take(*this, kDupRatio, static_cast<double>(duplicate_chars) / chars)) return;
    measures.take(*this, kListRatio,
                  static_cast<double>(feeds) / static_cast<double>(features.words().size()));
  }
};

}  // namespace

std::unique_ptr<TextFilter> make_fineweb_quality() { return std::make_unique<FineWebQuality>(); }

}  // namespace ponder
