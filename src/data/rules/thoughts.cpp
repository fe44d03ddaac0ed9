// What DeepSeek-R1 removes from chains of thought (arXiv:2501.12948, section 2.3.3): mixed
// languages, long paragraphs, blocks of code. The thresholds are ours; the paper gives none.
#include <algorithm>
#include <array>

#include "data/rules/filters.hpp"

namespace ponder {
namespace {

enum Script { kLatin, kHan, kKana, kHangul, kCyrillic, kArabic, kOther, kScripts };

Script script_of(uint32_t code) {
  if (code < 0x250 || (code >= 0x1e00 && code <= 0x1eff)) return kLatin;
  if ((code >= 0x3400 && code <= 0x9fff) || (code >= 0x20000 && code <= 0x3ffff)) return kHan;
  if (code >= 0x3040 && code <= 0x30ff) return kKana;
  if (code >= 0xac00 && code <= 0xd7af) return kHangul;
  if (code >= 0x400 && code <= 0x52f) return kCyrillic;
  if (code >= 0x600 && code <= 0x77f) return kArabic;
  return kOther;
}

bool is_greek(uint32_t code) { return code >= 0x370 && code <= 0x3ff; }

// Share of the letters that are not of the most frequent script; Japanese has two, and Greek
// letters are mathematics.
double mixed_share(std::string_view text) {
  std::array<double, kScripts> letters = {};
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_char(text, at);
    at += c.length;
    if ((char_classes()[c.code] & kLetter) && !is_greek(c.code)) ++letters[script_of(c.code)];
  }
  if (letters[kKana] > 0) letters[kHan] += letters[kKana];
  letters[kKana] = 0;
  double all = 0;
  for (const double count : letters) all += count;
  return all == 0 ? 0 : 1 - *std::max_element(letters.begin(), letters.end()) / all;
}

class Thoughts : public TextFilter {
 public:
  Thoughts() : TextFilter("thoughts") {
    numbers_ = {
        {"mixed_languages", 0.05, "largest share of letters in other scripts than the first"},
        {"paragraph_chars", 4000, "characters of the longest paragraph"},
        {"code_blocks", 0, "largest number of lines that begin with ```"}};
    rules_ = {{"mixed_languages", 0, FilterRule::kAbove},
              {"long_paragraph", 1, FilterRule::kAbove},
              {"code_block", 2, FilterRule::kAbove}};
  }

  void check(Document&, FilterScratch& scratch, Measures& measures) const override {
    const std::string_view text = scratch.features.text();
    if (measures.take(*this, 0, mixed_share(text))) return;
    std::vector<TextSpan> paragraphs;
    split_at_line_feeds(text, 2, paragraphs);
    size_t longest = 0;
    for (const TextSpan& paragraph : paragraphs)
      longest = std::max(longest, count_chars(paragraph.of(text)));
    if (measures.take(*this, 1, static_cast<double>(longest))) return;
    double fences = 0;
    for (const TextSpan& line : scratch.features.line_feed_lines())
      fences += left_stripped(line.of(text)).starts_with("```");
    measures.take(*this, 2, fences);
  }
};

}  // namespace

std::unique_ptr<TextFilter> make_thoughts() { return std::make_unique<Thoughts>(); }

}  // namespace ponder
