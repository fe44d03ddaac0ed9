#include "text/pretokenizer.hpp"

#include <algorithm>
#include <cstdint>

#include "text/unicode.hpp"

namespace ponder {
namespace {

struct Look {
  uint32_t code = 0;
  uint32_t length = 0;  // 0 at the end
  uint8_t classes = 0;
  bool is(int mask) const { return (classes & mask) != 0; }
};

// Reads characters with their classes from a range of a text, seen as if it were the whole text:
// that is how a step sees the pieces of the step before it.
class Scanner {
 public:
  Scanner(std::string_view text, std::vector<size_t>& ends)
      : text_(text), ends_(ends), classes_(char_classes()) {}

  Look at(size_t position) const {
    if (position < text_.size()) {
      const auto byte = static_cast<uint8_t>(text_[position]);
      if (byte < 0x80) return {byte, 1, classes_[byte]};
    }
    const Char c = decode_char(text_, position);
    return c.length == 0 ? Look{} : Look{c.code, c.length, classes_[c.code]};
  }

  // The first position from `position` on whose character is none of `mask`.
  size_t skip(size_t position, int mask) const {
    for (Look c = at(position); c.is(mask); c = at(position)) position += c.length;
    return position;
  }
  // The same for characters that are none of `mask`.
  size_t skip_not(size_t position, int mask) const {
    for (Look c = at(position); c.length != 0 && !c.is(mask); c = at(position))
      position += c.length;
    return position;
  }

  Scanner until(size_t end) const {
    Scanner part = *this;
    part.text_ = text_.substr(0, end);
    return part;
  }
  size_t end() const { return text_.size(); }
  void emit(size_t piece_end) const { ends_.push_back(piece_end); }

 private:
  std::string_view text_;
  std::vector<size_t>& ends_;
  const uint8_t* classes_;
};

// \s*[\r\n]+ | \s+(?!\S) | \s+ at white space: through the last line break of the run; else all of
// the run but its last character, which goes with the word behind it.
size_t match_space(const Scanner& s, size_t start) {
  size_t position = start, last = start, after_break = 0;
  for (Look c = s.at(position); c.is(kSpace); c = s.at(position)) {
    last = position;
    position += c.length;
    if (c.is(kLineBreak)) after_break = position;
  }
  if (after_break != 0) return after_break;
  return position == s.end() || last == start ? position : last;
}

bool is_letter_caseless(uint32_t code, char lower) { return (code | 0x20) == uint32_t(lower); }

// (?i:'s|'t|'re|'ve|'m|'ll|'d) behind the apostrophe at `start`; 0 if it does not match.
size_t match_contraction(const Scanner& s, size_t start) {
  const Look first = s.at(start + 1);
  for (const char single : {'s', 't', 'm', 'd'})
    if (is_letter_caseless(first.code, single)) return start + 2;
  if (first.code == 0x17f) return start + 1 + first.length;  // ſ is s, whatever the case
  const Look second = s.at(start + 1 + first.length);
  for (const std::string_view pair : {"re", "ve", "ll"})
    if (is_letter_caseless(first.code, pair[0]) && is_letter_caseless(second.code, pair[1]))
      return start + 3;
  return 0;
}

// Length of a run of numbers, at most `most`.
size_t match_numbers(const Scanner& s, size_t position, int most) {
  for (int i = 0; i < most && s.at(position).is(kNumber); ++i) position += s.at(position).length;
  return position;
}

// Llama 3 (digits in threes) and Qwen 2 (digits one by one). Every character belongs to a match.
void cut_llama3(const Scanner& s, int most_digits) {
  constexpr int kWord = kLetter | kNumber;
  for (size_t i = 0; i < s.end();) {
    const Look c = s.at(i);
    const Look next = s.at(i + c.length);
    size_t end = c.code == '\'' ? match_contraction(s, i) : 0;
    if (end != 0) {
    } else if (c.is(kLetter) || (!c.is(kNumber | kLineBreak) && next.is(kLetter))) {
      end = s.skip(i + c.length, kLetter);
    } else if (c.is(kNumber)) {
      end = match_numbers(s, i, most_digits);
    } else if (!c.is(kSpace) || (c.code == ' ' && next.length != 0 && !next.is(kSpace | kWord))) {
      end = s.skip(s.skip_not(i + c.length, kSpace | kWord), kLineBreak);
    } else {
      end = match_space(s, i);
    }
    s.emit(i = end);
  }
}

bool is_ascii_letter(const Look& c) { return c.code < 0x80 && c.is(kLetter); }

// The third regex of DeepSeek-V3 at `i`: the end of its match, or `i` if there is none.
size_t match_v3(const Scanner& s, size_t i) {
  constexpr int kMarks = kPunctuation | kSymbol, kWord = kLetter | kMark;
  const Look c = s.at(i);
  const Look next = s.at(i + c.length);
  if (c.code < 0x80 && c.is(kMarks) && is_ascii_letter(next)) {
    size_t end = i + 2;
    while (is_ascii_letter(s.at(end))) ++end;
    return end;
  }
  if (c.is(kWord) || (!c.is(kLineBreak | kMarks) && next.is(kWord)))
    return s.skip(i + c.length, kWord);
  if (c.is(kMarks) || (c.code == ' ' && next.is(kMarks)))
    return s.skip(s.skip(i + c.length, kMarks), kLineBreak);
  return c.is(kSpace) ? match_space(s, i) : i;
}

// Cuts a range by a matcher, (scanner, position) → end of the match or the position itself: matches
// are pieces, and so is what lies between two of them.
template <typename Match, typename Next>
void cut_step(const Scanner& s, size_t start, const Match& match, const Next& next) {
  size_t gap = start;
  for (size_t i = start; i < s.end();) {
    const size_t end = match(s, i);
    if (end == i) {
      i += s.at(i).length;
      continue;
    }
    if (gap < i) next(s.until(i), gap);
    next(s.until(end), i);
    gap = i = end;
  }
  if (gap < s.end()) next(s, gap);
}

void emit_piece(const Scanner& s, size_t) { s.emit(s.end()); }

bool is_v3_ideograph(uint32_t code) {
  return (code >= 0x4e00 && code <= 0x9fa5) || (code >= 0x3040 && code <= 0x30ff);
}

void cut_deepseek_v3(const Scanner& s) {
  // The first two regexes, numbers in threes and runs of ideographs and kana, in one pass: no
  // character is in both. The third finds nothing in numbers.
  enum Group { kOther, kIdeographs, kNumbers };
  const auto group = [](const Look& c) {
    return c.is(kNumber) ? kNumbers : is_v3_ideograph(c.code) ? kIdeographs : kOther;
  };
  for (size_t i = 0; i < s.end();) {
    const Group kind = group(s.at(i));
    size_t end = i;
    if (kind == kNumbers) {
      s.emit(i = match_numbers(s, i, 3));
      continue;
    }
    for (Look c = s.at(end); c.length != 0 && group(c) == kind; c = s.at(end)) end += c.length;
    cut_step(s.until(end), i, match_v3, emit_piece);
    i = end;
  }
}

// \s?[set]+
template <typename Set>
size_t match_optional_space(const Scanner& s, size_t i, const Set& in_set) {
  const Look c = s.at(i);
  size_t end = c.is(kSpace) && in_set(s.at(i + c.length)) ? i + c.length : i;
  if (end == i && !in_set(c)) return i;
  for (Look d = s.at(end); d.length != 0 && in_set(d); d = s.at(end)) end += d.length;
  return end;
}

bool is_llm_punctuation(const Look& c) {
  const auto within = [&](uint32_t first, uint32_t last) {
    return c.code >= first && c.code <= last;
  };
  return c.length != 0 &&
         (within('!', '/') || within(':', '~') || within(0xff01, 0xff0f) ||
          within(0xff1a, 0xff5e) || within(0x2018, 0x201f) || within(0x3000, 0x3002));
}

bool is_llm_east_asian(const Look& c) {
  return (c.code >= 0x800 && c.code <= 0x9fa5) || (c.code >= 0xac00 && c.code <= 0xd7ff);
}

size_t match_llm_words(const Scanner& s, size_t i) {
  return match_optional_space(s, i, [](const Look& c) { return c.is(kWesternLetter); });
}

size_t match_llm_punctuation(const Scanner& s, size_t i) {
  return match_optional_space(s, i, is_llm_punctuation);
}

size_t match_llm_east_asian(const Scanner& s, size_t i) {
  while (is_llm_east_asian(s.at(i))) i += s.at(i).length;
  return i;
}

// DeepSeek-LLM and V2: six steps, each on all pieces of the one before.
void cut_deepseek_llm(const Scanner& whole) {
  const auto digits = [](const Scanner& s, size_t start) {
    cut_step(
        s, start, [](const Scanner& t, size_t i) { return match_numbers(t, i, 1); }, emit_piece);
  };
  const auto east_asian = [&](const Scanner& s, size_t start) {
    cut_step(s, start, match_llm_east_asian, digits);
  };
  const auto space = [&](const Scanner& s, size_t start) {
    // \s+$ alone is not left to cut_step, which would look at each space for the end of the text.
    size_t word_end = start;
    for (size_t i = start; i < s.end(); i += s.at(i).length)
      if (!s.at(i).is(kSpace)) word_end = i + s.at(i).length;
    if (word_end > start) east_asian(s.until(word_end), start);
    if (word_end < s.end()) east_asian(s, word_end);
  };
  const auto punctuation = [&](const Scanner& s, size_t start) {
    cut_step(s, start, match_llm_punctuation, space);
  };
  const auto words = [&](const Scanner& s, size_t start) {
    cut_step(s, start, match_llm_words, punctuation);
  };
  const auto line_break = [](const Scanner& s, size_t i) {
    return s.at(i).is(kLineBreak) ? i + 1 : i;
  };
  cut_step(whole, 0, line_break, words);
}

constexpr std::string_view kLlama3Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kV3Regex =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Rule {
  Pretokenizer kind;
  std::string_view name;                  // as in tokenizer.ggml.pre
  std::vector<std::string> regexes = {};  // of tokenizer.json, in their order
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = {
      {Pretokenizer::kDeepseekV3,
       "deepseek-v3",
       {R"(\p{N}{1,3})", "[一-龥぀-ゟ゠-ヿ]+", std::string(kV3Regex)}},
      {Pretokenizer::kQwen2, "qwen2", {std::string(kQwen2Regex)}},
      {Pretokenizer::kQwen2, "deepseek-r1-qwen"},
      {Pretokenizer::kLlama3, "llama-bpe", {std::string(kLlama3Regex)}},
      {Pretokenizer::kDeepseekLlm,
       "deepseek-llm",
       {R"([\r\n])", R"(\s?)" + western_letter_set() + "+", R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)",
        R"(\s+$)", "[一-龥ࠀ-一가-퟿]+"}}};
  return all;
}

const Rule& rule_of(Pretokenizer kind) {
  return *std::find_if(rules().begin(), rules().end(),
                       [&](const Rule& rule) { return rule.kind == kind; });
}

std::string with_spelled_breaks(std::string_view regex) {
  std::string spelled;
  for (const char c : regex) {
    if (c == '\r' || c == '\n')
      spelled += c == '\r' ? "\\r" : "\\n";
    else
      spelled += c;
  }
  return spelled;
}

}  // namespace

std::optional<Pretokenizer> pretokenizer_by_name(std::string_view name) {
  for (const Rule& rule : rules())
    if (rule.name == name) return rule.kind;
  return std::nullopt;
}

std::optional<Pretokenizer> pretokenizer_by_regexes(std::span<const std::string> regexes) {
  std::vector<std::string> spelled(regexes.size());
  std::transform(regexes.begin(), regexes.end(), spelled.begin(), with_spelled_breaks);
  for (const Rule& rule : rules())
    if (!spelled.empty() &&
        std::equal(spelled.begin(), spelled.end(), rule.regexes.begin(), rule.regexes.end()))
      return rule.kind;
  return std::nullopt;
}

std::string_view pretokenizer_name(Pretokenizer kind) { return rule_of(kind).name; }

std::span<const std::string> pretokenizer_regexes(Pretokenizer kind) {
  return rule_of(kind).regexes;
}

std::string pretokenizer_names() {
  std::string names;
  for (const Rule& rule : rules()) names += (names.empty() ? "" : ", ") + std::string(rule.name);
  return names;
}

void cut_pieces(Pretokenizer kind, std::string_view text, std::vector<size_t>& ends) {
  const Scanner scanner(text, ends);
  switch (kind) {
    case Pretokenizer::kDeepseekV3:
      return cut_deepseek_v3(scanner);
    case Pretokenizer::kQwen2:
      return cut_llama3(scanner, 1);
    case Pretokenizer::kLlama3:
      return cut_llama3(scanner, 3);
    case Pretokenizer::kDeepseekLlm:
      return cut_deepseek_llm(scanner);
  }
}

}  // namespace ponder
