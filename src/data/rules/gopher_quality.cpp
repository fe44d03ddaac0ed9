// The quality rules of Gopher: Rae et al. 2021 (arXiv:2112.11446), appendix A.1.1, with the order
// and the details of datatrove's GopherQualityFilter.
#include <array>

#include "data/rules/filters.hpp"

namespace ponder {
namespace {

constexpr bool is_alpha(uint8_t classes) { return (classes & kLetter) != 0; }

class GopherQuality : public TextFilter {
 public:
  enum Number {
    kMinWords,
    kMaxWords,
    kMinLength,
    kMaxLength,
    kSymbols,
    kBullets,
    kEllipsis,
    kAlpha,
    kStopWords
  };
  enum Test {
    kShort,
    kLong,
    kBelowLength,
    kAboveLength,
    kHashes,
    kEllipses,
    kBulletLines,
    kEllipsisLines,
    kAlphaWords,
    kStop
  };

  GopherQuality() : TextFilter("gopher_quality") {
    numbers_ = {{"min_words", 50, "least number of words that are not only punctuation"},
                {"max_words", 100000, "largest number of them"},
                {"min_word_length", 3, "least mean of their characters"},
                {"max_word_length", 10, "largest mean of their characters"},
                {"symbol_ratio", 0.1, "largest number of #, or of ellipses, for each word"},
                {"bullet_lines", 0.9, "largest share of lines that begin with a bullet"},
                {"ellipsis_lines", 0.3, "largest share of lines that end with an ellipsis"},
                {"alpha_words", 0.8, "least share of words with a letter"},
                {"stop_words", 2, "least number of different stop words"}};
    lists_ = {{"words", {"the", "be", "to", "of", "and", "that", "have", "with"}, "stop words"}};
    rules_ = {{"gopher_short_doc", kMinWords, FilterRule::kBelow},
              {"gopher_long_doc", kMaxWords, FilterRule::kAbove},
              {"gopher_below_avg_threshold", kMinLength, FilterRule::kBelow},
              {"gopher_above_avg_threshold", kMaxLength, FilterRule::kAbove},
              {"gopher_too_many_hashes", kSymbols, FilterRule::kAbove},
              {"gopher_too_many_ellipsis", kSymbols, FilterRule::kAbove},
              {"gopher_too_many_bullets", kBullets, FilterRule::kAbove},
              {"gopher_too_many_end_ellipsis", kEllipsis, FilterRule::kAbove},
              {"gopher_below_alpha_threshold", kAlpha, FilterRule::kBelow},
              {"gopher_enough_stop_words", kStopWords, FilterRule::kBelow}};
  }

  void check(Document&, FilterScratch& scratch, Measures& measures) const override {
    TextFeatures& features = scratch.features;
    const Counts counts = count(features);
    if (measures.take(*this, kShort, counts.real_words)) return;
    if (measures.take(*this, kLong, counts.real_words)) return;
    const double mean = counts.real_chars / counts.real_words;
    if (measures.take(*this, kBelowLength, mean)) return;
    if (measures.take(*this, kAboveLength, mean)) return;
    const std::string_view text = features.text();
    const auto words = static_cast<double>(features.words().size());
    if (measures.take(*this, kHashes, static_cast<double>(count_of(text, "#")) / words)) return;
    const size_t ellipses = count_of(text, "...") + count_of(text, "…");
    if (measures.take(*this, kEllipses, static_cast<double>(ellipses) / words)) return;
    if (check_lines(features, measures)) return;
    if (measures.take(*this, kAlphaWords, counts.alpha_words / words)) return;
    measures.take(*this, kStop, stop_words(features));
  }

 private:
  struct Counts {
    double real_words = 0, real_chars = 0, alpha_words = 0;  // real: not only punctuation
  };

  static Counts count(TextFeatures& features) {
    Counts counts;
    const auto& words = features.words();
    const auto& chars = features.word_chars();
    const std::string_view text = features.text();
    for (size_t i = 0; i < words.size(); ++i) {
      bool real = false, alpha = false;
      for (size_t at = words[i].begin; at < words[i].end && !(real && alpha);) {
        const Char c = decode_char(text, at);
        real = real || (word_classes()[c.code] & kPunctuationChar) == 0;
        alpha = alpha || is_alpha(char_classes()[c.code]);
        at += c.length;
      }
      counts.real_words += real;
      if (real) counts.real_chars += chars[i];
      counts.alpha_words += alpha;
    }
    return counts;
  }

  bool check_lines(TextFeatures& features, Measures& measures) const {
    size_t bullets = 0, ellipses = 0;
    for (const TextSpan& span : features.lines()) {
      const std::string_view line = span.of(features.text());
      const std::string_view begin = left_stripped(line);
      bullets += begin.starts_with("-") || begin.starts_with("•");
      const std::string_view end = stripped(line);
      ellipses += end.ends_with("...") || end.ends_with("…");
    }
    const auto lines = static_cast<double>(features.lines().size());
    return measures.take(*this, kBulletLines, static_cast<double>(bullets) / lines) ||
           measures.take(*this, kEllipsisLines, static_cast<double>(ellipses) / lines);
  }

  double stop_words(TextFeatures& features) const {
    const auto& stops = list(0);
    std::vector<uint8_t> seen(stops.size(), 0);
    double count = 0;
    for (const TextSpan& span : features.words()) {
      const std::string_view word = span.of(features.text());
      for (size_t i = 0; i < stops.size(); ++i) {
        if (seen[i] || word != stops[i]) continue;
        seen[i] = 1;
        ++count;
      }
      if (count == static_cast<double>(stops.size())) break;
    }
    return count;
  }
};

}  // namespace

std::unique_ptr<TextFilter> make_gopher_quality() { return std::make_unique<GopherQuality>(); }

}  // namespace ponder
