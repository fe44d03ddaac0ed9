// The rules of C4 (Raffel et al. 2020, JMLR 21/20-074) with the details of datatrove's
// C4QualityFilter, and the paragraph rule of mC4.
#include <utf8proc.h>

#include <array>

#include "data/rules/filters.hpp"

namespace ponder {
namespace {

constexpr std::string_view kPolicyPhrases[] = {"terms of use", "privacy policy", "cookie policy",
                                               "uses cookies", "use of cookies", "use cookies"};

bool is_end_mark(char c) { return std::string_view(".?!\"'").find(c) != std::string_view::npos; }

bool is_digit_char(uint32_t code) {
  if (code < 0x80) return code >= '0' && code <= '9';
  return utf8proc_category(static_cast<utf8proc_int32_t>(code)) == UTF8PROC_CATEGORY_ND;
}

// Behind a citation like [12], [edit] or [citation needed] at `at`; `at` if there is none.
size_t citation_end(std::string_view line, size_t at) {
  for (const std::string_view mark : {"[edit]", "[citation needed]"})
    if (line.substr(at).starts_with(mark)) return at + mark.size();
  size_t end = at + 1;
  while (end < line.size()) {
    const Char c = decode_char(line, end);
    if (!is_digit_char(c.code)) break;
    end += c.length;
  }
  return end < line.size() && line[end] == ']' ? end + 1 : at;
}

void remove_citations(std::string_view line, std::string& out) {
  out.clear();
  size_t from = 0;
  for (size_t at = line.find('['); at != line.npos; at = line.find('[', at)) {
    const size_t end = citation_end(line, at);
    if (end == at) {
      ++at;
      continue;
    }
    out.append(line, from, at - from);
    from = at = end;
  }
  out.append(line, from, line.size() - from);
}

struct LineWords {
  size_t count = 0, longest = 0;  // longest: characters
};

// Words between white space.
LineWords line_words(std::string_view line) {
  LineWords words;
  size_t length = 0;
  for (size_t at = 0; at < line.size();) {
    const Char c = decode_char(line, at);
    at += c.length;
    length = is_python_space(c.code) ? 0 : length + 1;
    words.count += length == 1;
    words.longest = std::max(words.longest, length);
  }
  return words;
}

class C4Quality : public TextFilter {
 public:
  enum Number {
    kMinSentences,
    kMinWords,
    kMaxLength,
    kPunctuation,
    kCitations,
    kLorem,
    kJavascript,
    kBracket,
    kPolicy
  };
  enum Test { kLoremIpsum, kCurlyBracket, kTooFewSentences };

  C4Quality() : TextFilter("c4_quality") {
    numbers_ = {{"min_sentences", 5, "least number of sentences in the lines that are kept"},
                {"min_words_per_line", 3, "lines with fewer words are dropped"},
                {"max_word_length", 1000, "lines with a longer word are dropped"},
                {"terminal_punctuation", 1, "1: lines without . ? ! \" ' at the end are dropped"},
                {"remove_citations", 1, "1: [12], [edit] and [citation needed] are removed"},
                {"lorem_ipsum", 0, "largest number of lines with \"lorem ipsum\""},
                {"javascript", 1, "1: lines with \"javascript\" are dropped"},
                {"curly_bracket", 0, "largest number of lines with {"},
                {"policy", 1, "1: lines about cookies, privacy or terms of use are dropped"}};
    rules_ = {{"lorem_ipsum", kLorem, FilterRule::kAbove},
              {"curly_bracket", kBracket, FilterRule::kAbove},
              {"too_few_sentences", kMinSentences, FilterRule::kBelow}};
  }

  void check(Document& document, FilterScratch& scratch, Measures& measures) const override {
    TextFeatures& features = scratch.features;
    const std::string_view text = features.text();
    double lorem = 0, brackets = 0, sentences = 0;
    std::string kept, cleaned;
    for (const TextSpan& span : features.lines()) {
      const std::string_view line = stripped(span.of(text));
      const Fate fate = judge(line, cleaned);
      if (fate == Fate::kDrop) continue;
      if (fate == Fate::kLorem) {
        if (measures.take(*this, kLoremIpsum, ++lorem)) return;
        continue;
      }
      if (fate == Fate::kBracket) {
        if (measures.take(*this, kCurlyBracket, ++brackets)) return;
        continue;
      }
      sentences += features.sentences(cleaned);
      kept += "\n";  // stripped below
      kept += cleaned;
    }
    measures.take(*this, kLoremIpsum, lorem);
    measures.take(*this, kCurlyBracket, brackets);
    if (measures.take(*this, kTooFewSentences, sentences) || measures.failed() >= 0) return;
    replace_text(document, scratch, std::string(stripped(kept)));
  }

 private:
  enum class Fate { kKeep, kDrop, kLorem, kBracket };

  bool on(int option) const { return number(option) > 0; }

  // What becomes of a line; `cleaned` is the line without citations.
  Fate judge(std::string_view line, std::string& cleaned) const {
    const LineWords words = line_words(line);
    if (static_cast<double>(words.longest) > number(kMaxLength)) return Fate::kDrop;
    if (on(kCitations))
      remove_citations(line, cleaned);
    else
      cleaned = line;
    if (on(kPunctuation) &&
        (cleaned.empty() || !is_end_mark(cleaned.back()) || cleaned.ends_with("...")))
      return Fate::kDrop;
    if (static_cast<double>(words.count) < number(kMinWords)) return Fate::kDrop;
    if (number(kLorem) >= 0 && contains_any_case(cleaned, "lorem ipsum")) return Fate::kLorem;
    if (on(kJavascript) && contains_any_case(cleaned, "javascript")) return Fate::kDrop;
    if (number(kBracket) >= 0 && cleaned.find('{') != cleaned.npos) return Fate::kBracket;
    if (on(kPolicy))
      for (const std::string_view phrase : kPolicyPhrases)
        if (contains_any_case(cleaned, phrase)) return Fate::kDrop;
    return Fate::kKeep;
  }
};

class C4Paragraphs : public TextFilter {
 public:
  C4Paragraphs() : TextFilter("c4_paragraphs") {
    numbers_ = {{"min_paragraphs", 3, "least number of long lines"},
                {"min_length", 200, "characters of a long line"}};
    rules_ = {{"too_few_paragraphs", 0, FilterRule::kBelow}};
  }

  void check(Document&, FilterScratch& scratch, Measures& measures) const override {
    double paragraphs = 0;
    for (const TextSpan& line : scratch.features.line_feed_lines())
      paragraphs += static_cast<double>(count_chars(line.of(scratch.features.text()))) >= number(1);
    measures.take(*this, 0, paragraphs);
  }
};

}  // namespace

std::unique_ptr<TextFilter> make_c4_quality() { return std::make_unique<C4Quality>(); }
std::unique_ptr<TextFilter> make_c4_paragraphs() { return std::make_unique<C4Paragraphs>(); }

}  // namespace ponder
