#include "judge/maths/lexer.hpp"

#include <algorithm>

#include "judge/maths/words.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr size_t kMostTokens = 2000;
constexpr size_t kMostTextDepth = 8;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lowered(std::string_view text) {
  std::string low(text);
  for (char& c : low)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return low;
}

class Lexer {
 public:
  Lexer(std::string_view text, bool group_digits) : text_(text), group_digits_(group_digits) {}

  std::optional<LexedMaths> lex() {
    while (at_ < text_.size()) {
      if (lexed_.tokens.size() >= kMostTokens || !next()) return std::nullopt;
    }
    add(MathTokenKind::kEnd, "");
    return std::move(lexed_);
  }

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void add(MathTokenKind kind, std::string_view text) {
    lexed_.tokens.push_back({kind, std::string(text), space_});
    space_ = false;
  }

  bool next() {
    if (!text_ends_.empty() && at_ >= text_ends_.back()) {  // the } of a \text{…}
      text_ends_.pop_back();
      ++at_;
      space_ = true;
      return true;
    }
    const char c = peek();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '~') {
      ++at_;
      space_ = true;
      return true;
    }
    if (c == '$') {
      ++at_;
      return true;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (is_letter(c)) return letters();
    if (c == '\\') return command();
    if (static_cast<unsigned char>(c) >= 0x80) return character();
    return symbol();
  }

  size_t digits_from(size_t start) const {
    size_t end = start;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    return end - start;
  }

  // The group separator at `at`, if three digits and no fourth follow it: its length.
  size_t group_separator(size_t at) const {
    for (const std::string_view separator : {"{,}", "\\!,", ",\\!", "\\,", ","}) {
      if (text_.substr(at, separator.size()) != separator) continue;
      if (separator.front() == ',' && !group_digits_) return 0;
      return digits_from(at + separator.size()) == 3 ? separator.size() : 0;
    }
    return 0;
  }

  bool number() {
    const size_t start = at_;
    if (const size_t length = digits_with_letters(); length > 0) {
      add(MathTokenKind::kBased, text_.substr(start, length));
      at_ += length;
      return true;
    }
    size_t length = digits_from(at_);
    std::string digits(text_.substr(at_, length));
    at_ += length;
    if (length >= 1 && length <= 3 && digits[0] != '0') {
      while (const size_t separator = group_separator(at_)) {
        lexed_.grouped_digits |= text_[at_] == ',';
        digits += text_.substr(at_ + separator, 3);
        at_ += separator + 3;
      }
    }
    if (peek() == '.' && is_digit(peek(1))) {
      length = digits_from(at_ + 1);
      digits += text_.substr(at_, length + 1);
      at_ += length + 1;
    } else if (peek() == '.' && text_.substr(at_, 2) != ".." &&
               text_.substr(at_ + 1, 9) != "\\overline") {
      ++at_;  // the full stop of a sentence, or "5."
    }
    const std::string repeated = repeated_digits(digits);
    if ((peek() == 'e' || peek() == 'E') && repeated.empty()) {
      const size_t sign = peek(1) == '-' || peek(1) == '+' ? 1 : 0;
      length = digits_from(at_ + 1 + sign);
      if (length > 0 && !is_letter(peek(1 + sign + length))) {
        digits += "e" + std::string(text_.substr(at_ + 1, sign + length));
        at_ += 1 + sign + length;
      }
    }
    add(MathTokenKind::kNumber, digits);
    lexed_.tokens.back().repeated = repeated;
    return true;
  }

  // \overline{6} behind a number with a point: moves past it.
  std::string repeated_digits(std::string& digits) {
    for (const std::string_view bar : {"\\overline{", "\\bar{", ".\\overline{", ".\\bar{"}) {
      if (text_.substr(at_, bar.size()) != bar) continue;
      const bool brings_point = bar[0] == '.';
      if (brings_point == (digits.find('.') != std::string::npos)) continue;
      const size_t start = at_ + bar.size(), length = digits_from(start);
      if (length == 0 || text_.substr(start + length, 1) != "}") continue;
      if (brings_point) digits += ".";
      at_ = start + length + 1;
      return std::string(text_.substr(start, length));
    }
    return {};
  }

  // 2A_{16}: digits and capital letters before a subscript.
  size_t digits_with_letters() const {
    size_t end = at_;
    bool letters = false;
    while (end < text_.size() && (is_digit(text_[end]) || (text_[end] >= 'A' && text_[end] <= 'Z')))
      letters |= !is_digit(text_[end++]);
    return letters && end < text_.size() && text_[end] == '_' ? end - at_ : 0;
  }

  bool letters() {
    size_t end = at_;
    while (end < text_.size() && is_letter(text_[end])) ++end;
    std::string_view run = text_.substr(at_, end - at_);
    while (!run.empty()) {
      const size_t taken = part_of(run, !text_ends_.empty());
      at_ += taken;
      run.remove_prefix(taken);
    }
    return true;
  }

  // Adds what a run of letters begins with; gives its length.
  size_t part_of(std::string_view run, bool in_text) {
    if (run.size() == 1) {
      // "5 m" and "5 m^2", and nothing behind: metres.
      const bool ends = at_ + 1 >= text_.size() || (in_text && at_ + 1 == text_ends_.back()) ||
                        text_.substr(at_ + 1) == "^2" || text_.substr(at_ + 1) == "^3";
      const bool after_number =
          !lexed_.tokens.empty() && lexed_.tokens.back().kind == MathTokenKind::kNumber;
      if (ends && after_number && (space_ || in_text) && find_unit(run) != nullptr)
        add(MathTokenKind::kWord, run);
      else
        add_letter(run);
      return 1;
    }
    const std::string low = lowered(run);
    if (!lexed_.tokens.empty() && lexed_.tokens.back().kind == MathTokenKind::kNumber &&
        find_unit(low) != nullptr) {  // 5 min, 5 sec
      add(MathTokenKind::kWord, low);
      return run.size();
    }
    const NamedMaths* named = find_named(run);
    if (named == nullptr) named = find_named(low);
    if (named != nullptr && !(in_text && named->kind == MathTokenKind::kLetter)) {
      add(named->kind, named->meaning);
      return run.size();
    }
    if (in_text || run.size() >= 4 || is_known_word(low)) {
      if (!in_text)
        for (const std::string_view prefix : {"sin", "cos", "tan", "log", "ln"})
          if (low.starts_with(prefix) && run.size() <= prefix.size() + 1) {
            add(MathTokenKind::kFunction, prefix);
            return prefix.size();
          }
      add(MathTokenKind::kWord, low);
      return run.size();
    }
    add_letter(run.substr(0, 1));
    return 1;
  }

  void add_letter(std::string_view letter) {
    const bool constant = letter == "e" || letter == "i";
    add(constant ? MathTokenKind::kConstant : MathTokenKind::kLetter, letter);
  }

  bool command() {
    size_t end = at_ + 1;
    while (end < text_.size() && is_letter(text_[end])) ++end;
    if (end == at_ + 1) return escaped();
    const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end;
    if (is_spacing_command(name)) {
      if (name.starts_with("q") || name == "space") space_ = true;
      if ((name == "left" || name == "right") && peek() == '.') ++at_;  // no bracket
      return true;
    }
    if (is_text_command(name)) return begin_text(name);
    if (name == "begin" || name == "end") return environment(name);
    if (name == "mathbb" || name == "mathbf" || name == "mathcal") return styled(name);
    const NamedMaths* named = find_command(name);
    if (named == nullptr) return false;
    add(named->kind, named->meaning);
    return true;
  }

  // \{ \} \% \$ \, \! \; \\ and the brackets of formulas, which mean nothing.
  bool escaped() {
    const char c = peek(1);
    at_ += std::min<size_t>(2, text_.size() - at_);
    switch (c) {
      case '{':
      case '}':
        add(MathTokenKind::kSymbol, c == '{' ? "\\{" : "\\}");
        return true;
      case '%':
        add(MathTokenKind::kSymbol, "%");
        return true;
      case '$':
        add(MathTokenKind::kWord, "dollar");
        return true;
      case '\\':
        add(MathTokenKind::kSymbol, "\\\\");
        return true;
      case '|':
        add(MathTokenKind::kSymbol, "|");
        return true;
      case '&':
      case '#':
      case '_':
        return false;
      case ',':
      case ';':
      case ':':
      case ' ':
      case '\n':
        space_ = true;
        return true;
      case '!':
      case '(':
      case ')':
      case '[':
      case ']':
        return true;
      default:
        return false;
    }
  }

  // \text{…}: what is inside is words.
  bool begin_text(std::string_view) {
    while (peek() == ' ') ++at_;
    if (peek() != '{') return true;  // \rm and the like
    int depth = 0;
    for (size_t i = at_; i < text_.size(); ++i) {
      if (text_[i] == '{') ++depth;
      if (text_[i] == '}' && --depth == 0) {
        if (text_ends_.size() >= kMostTextDepth) return false;
        text_ends_.push_back(i);
        ++at_;
        return true;
      }
    }
    return false;
  }

  bool environment(std::string_view which) {
    if (peek() != '{') return false;
    const size_t close = text_.find('}', at_);
    if (close == std::string_view::npos) return false;
    const std::string_view name = text_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    for (const std::string_view known :
         {"pmatrix", "bmatrix", "matrix", "smallmatrix", "Bmatrix", "array", "vmatrix"}) {
      if (name != known) continue;
      if (which == "begin" && name == "array" && peek() == '{') {  // the columns' alignment
        const size_t end = text_.find('}', at_);
        if (end == std::string_view::npos) return false;
        at_ = end + 1;
      }
      add(MathTokenKind::kSymbol,
          std::string(which) + (name == "vmatrix" ? "-determinant" : "-matrix"));
      return true;
    }
    return false;
  }

  // \mathbb{R} is a set, \mathbf{v} a letter.
  bool styled(std::string_view name) {
    const bool braces = peek() == '{' && peek(2) == '}';
    const char letter = braces ? peek(1) : peek();
    if (!is_letter(letter)) return name == "mathbf" && begin_text(name);
    at_ += braces ? 3 : 1;
    constexpr std::string_view kSets = "RZNQC";
    constexpr std::string_view kNames[] = {"reals", "integers", "naturals", "rationals", "complex"};
    const size_t set = kSets.find(letter);
    if (name == "mathbb" && set != std::string_view::npos)
      add(MathTokenKind::kConstant, kNames[set]);
    else
      add(MathTokenKind::kLetter, std::string(1, letter));
    return true;
  }

  bool character() {
    if (const UnicodeMaths* found = find_unicode(text_.substr(at_)); found != nullptr) {
      at_ += found->text.size();
      if (found->kind == MathTokenKind::kEnd) {
        space_ = true;
      } else if (found->meaning.starts_with("^")) {  // ²
        add(MathTokenKind::kSymbol, "^");
        add(MathTokenKind::kNumber, found->meaning.substr(1));
      } else {
        add(found->kind, found->meaning);
      }
      return true;
    }
    // Letters of other scripts are words.
    const size_t start = at_;
    while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) >= 0x80 &&
           find_unicode(text_.substr(at_)) == nullptr)
      at_ += utf8_step(text_.substr(at_)).length;
    add(MathTokenKind::kWord, text_.substr(start, at_ - start));
    return true;
  }

  bool symbol() {
    for (const std::string_view two : {"<=", ">=", "!=", "==", "**", "..."}) {
      if (text_.substr(at_, two.size()) != two) continue;
      at_ += two.size();
      while (two == "..." && peek() == '.') ++at_;
      add(MathTokenKind::kSymbol, two == "=="    ? "="
                                  : two == "**"  ? "^"
                                  : two == "..." ? "dots"
                                                 : two);
      return true;
    }
    const char c = text_[at_++];
    if (std::string_view("+-*/^_!,;:|()[]{}=<>&%'").find(c) != std::string_view::npos) {
      add(MathTokenKind::kSymbol, std::string(1, c));
      return true;
    }
    // A full stop or a mark at the end of a sentence means nothing.
    return c == '.' || c == '?' || c == '"' || c == '`';
  }

  std::string_view text_;
  bool group_digits_;
  size_t at_ = 0;
  bool space_ = false;
  std::vector<size_t> text_ends_;  // where the \text{…} that are open end
  LexedMaths lexed_;
};

}  // namespace

std::optional<LexedMaths> lex_maths(std::string_view text, bool group_digits) {
  if (text.size() > kMostMathBytes) return std::nullopt;
  return Lexer(text, group_digits).lex();
}

}  // namespace ponder
