// The repetition rules of Gopher: Rae et al. 2021 (arXiv:2112.11446), table A1, with the details of
// datatrove's GopherRepetitionFilter: n-grams of duplicates are joined without blanks, but their
// characters are divided by the whole text's.
#include <array>

#include "data/rules/duplicates.hpp"
#include "data/rules/filters.hpp"

namespace ponder {
namespace {

class GopherRepetition : public TextFilter {
 public:
  enum Number { kParagraphs, kParagraphChars, kLines, kLineChars, kTop2, kDup5 = kTop2 + 3 };
  enum Test {
    kEmpty,
    kDupParagraphs,
    kDupParagraphChars,
    kDupLines,
    kDupLineChars,
    kTop,
    kDup = kTop + 3
  };

  GopherRepetition() : TextFilter("gopher_repetition") {
    numbers_ = {{"dup_para_frac", 0.3, "largest share of paragraphs that occurred before"},
                {"dup_para_char_frac", 0.2, "largest share of characters in these"},
                {"dup_line_frac", 0.3, "largest share of lines that occurred before"},
                {"dup_line_char_frac", 0.2, "largest share of characters in these"},
                {"top_2_gram", 0.2, "largest share of characters in the most frequent 2-gram"},
                {"top_3_gram", 0.18, "the same for 3 words"},
                {"top_4_gram", 0.16, "the same for 4 words"},
                {"dup_5_gram", 0.15, "largest share of characters in repeated 5-grams"},
                {"dup_6_gram", 0.14, "the same for 6 words"},
                {"dup_7_gram", 0.13, "the same for 7 words"},
                {"dup_8_gram", 0.12, "the same for 8 words"},
                {"dup_9_gram", 0.11, "the same for 9 words"},
                {"dup_10_gram", 0.1, "the same for 10 words"},
                {"min_chars", 1, "least number of characters"}};
    const int min_chars = static_cast<int>(numbers_.size()) - 1;
    rules_ = {{"empty", min_chars, FilterRule::kBelow},
              {"dup_para_frac", kParagraphs, FilterRule::kAbove},
              {"dup_para_char_frac", kParagraphChars, FilterRule::kAbove},
              {"dup_line_frac", kLines, FilterRule::kAbove},
              {"dup_line_char_frac", kLineChars, FilterRule::kAbove},
              {"top_2_gram", kTop2, FilterRule::kAbove},
              {"top_3_gram", kTop2 + 1, FilterRule::kAbove},
              {"top_4_gram", kTop2 + 2, FilterRule::kAbove},
              {"duplicated_5_n_grams", kDup5, FilterRule::kAbove},
              {"duplicated_6_n_grams", kDup5 + 1, FilterRule::kAbove},
              {"duplicated_7_n_grams", kDup5 + 2, FilterRule::kAbove},
              {"duplicated_8_n_grams", kDup5 + 3, FilterRule::kAbove},
              {"duplicated_9_n_grams", kDup5 + 4, FilterRule::kAbove},
              {"duplicated_10_n_grams", kDup5 + 5, FilterRule::kAbove}};
  }

  void check(Document&, FilterScratch& scratch, Measures& measures) const override {
    TextFeatures& features = scratch.features;
    const std::string_view text = features.text();
    const auto chars = static_cast<double>(features.chars());
    if (measures.take(*this, kEmpty, chars) || text.empty()) return;
    thread_local std::vector<TextSpan> pieces;
    thread_local HashCounter seen;
    const std::string_view inner = stripped(text);
    split_at_line_feeds(inner, 2, pieces);
    const Duplicates paragraphs = find_duplicates(inner, pieces, seen);
    if (measures.take(*this, kDupParagraphs, share(paragraphs.pieces, pieces.size()))) return;
    if (measures.take(*this, kDupParagraphChars, static_cast<double>(paragraphs.chars) / chars))
      return;
    split_at_line_feeds(text, 1, pieces);
    const Duplicates lines = find_duplicates(text, pieces, seen);
    if (measures.take(*this, kDupLines, share(lines.pieces, pieces.size()))) return;
    if (measures.take(*this, kDupLineChars, static_cast<double>(lines.chars) / chars)) return;
    thread_local WordRuns runs;
    runs.read(text, features.words(), features.word_chars());
    for (int n = 2; n <= 4; ++n) {
      const double top = static_cast<double>(runs.top_run_chars(static_cast<size_t>(n)));
      if (measures.take(*this, kTop + n - 2, top / chars)) return;
    }
    for (int n = 5; n <= 10; ++n) {
      const double repeated = static_cast<double>(runs.repeated_run_chars(static_cast<size_t>(n)));
      if (measures.take(*this, kDup + n - 5, repeated / chars)) return;
    }
  }

 private:
  static double share(size_t part, size_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  }
};

}  // namespace

std::unique_ptr<TextFilter> make_gopher_repetition() {
  return std::make_unique<GopherRepetition>();
}

}  // namespace ponder
