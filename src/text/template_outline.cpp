#include "text/template_outline.hpp"

#include <algorithm>
#include <array>

#include "base/macros.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr char kQuote = '\x01';  // of all strings in canonical expressions
constexpr std::string_view kSpaces = " \t\r\n\f\v";
constexpr std::array<std::string_view, 7> kStatements = {"if",  "elif",   "else", "endif",
                                                         "for", "endfor", "set"};

bool is_space(char c) { return kSpaces.find(c) != std::string_view::npos; }
bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Writes the string that starts at `start` with its quote; gives the position behind it.
size_t append_string(std::string_view text, size_t start, std::string& out) {
  const char quote = text[start];
  out += kQuote;
  size_t i = start + 1;
  for (; i < text.size() && text[i] != quote; ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char escaped = text[++i];
    out += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
  }
  out += kQuote;
  return std::min(i + 1, text.size());
}

// x['name'] → x.name
std::string with_dots(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == std::string_view("[\x01", 2)) {
      size_t end = i + 2;
      while (end < text.size() && is_name(text[end])) ++end;
      if (end > i + 2 && text.substr(end, 2) == std::string_view("\x01]", 2)) {
        out += '.';
        out += text.substr(i + 2, end - i - 2);
        i = end + 1;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

// Reads a template tag by tag.
class Outliner {
 public:
  Outliner(std::string_view source, const std::string& where) : source_(source), where_(where) {
    if (source_.ends_with('\n')) source_.remove_suffix(1);  // Jinja's keep_trailing_newline = false
  }

  Result<TemplateOutline> read() {
    while (position_ < source_.size()) {
      const size_t tag = next_tag();
      add_text(source_.substr(position_, tag - position_), tag);
      if (tag == source_.size()) break;
      const size_t end = PONDER_TRY(tag_end(tag));
      const char kind = source_[tag + 1];
      std::string_view inner = source_.substr(tag + 2, end - tag - 4);
      if (!inner.empty() && (inner.front() == '-' || inner.front() == '+')) inner.remove_prefix(1);
      strip_after_ = !inner.empty() && inner.back() == '-';
      if (strip_after_) inner.remove_suffix(1);
      after_block_ = kind != '{';
      if (kind == '{')
        outline_.outputs.push_back({canonical_jinja(inner), within_tools()});
      else if (kind == '%')
        PONDER_TRY(add_statement(inner));
      position_ = end;
    }
    return std::move(outline_);
  }

 private:
  Failure failure(const std::string& what) const {
    return Failure{{.what = "the chat template " + what, .where = where_}};
  }

  size_t next_tag() const {
    for (size_t i = position_; i + 1 < source_.size(); ++i)
      if (source_[i] == '{' &&
          (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#'))
        return i;
    return source_.size();
  }

  // The position behind the tag that starts at `tag`; its end within a string does not count.
  Result<size_t> tag_end(size_t tag) const {
    const char kind = source_[tag + 1];
    const std::string end = {kind == '{' ? '}' : kind, '}'};
    char quote = 0;
    for (size_t i = tag + 2; i + 1 < source_.size(); ++i) {
      const char c = source_[i];
      if (kind != '#' && quote != 0) {
        if (c == '\\') ++i;
        if (c == quote) quote = 0;
      } else if (kind != '#' && (c == '\'' || c == '"')) {
        quote = c;
      } else if (c == end[0] && source_[i + 1] == end[1]) {
        return i + 2;
      }
    }
    return failure("has a tag that does not end");
  }

  // Text between tags, as far as it is written at all.
  void add_text(std::string_view text, size_t tag) {
    if (strip_after_) {
      while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    } else if (after_block_ && text.starts_with('\n')) {
      text.remove_prefix(1);
    }
    const bool at_end = tag == source_.size();
    const char kind = at_end ? 0 : source_[tag + 1];
    const char control = tag + 2 < source_.size() ? source_[tag + 2] : 0;
    if (!at_end && control == '-') {
      while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    } else if (!at_end && kind != '{' && control != '+') {
      const size_t line = text.find_last_not_of(" \t");
      const bool starts_line = line == std::string_view::npos || text[line] == '\n';
      if (starts_line) text = text.substr(0, line == std::string_view::npos ? 0 : line + 1);
    }
    if (!text.empty())
      outline_.outputs.push_back({kQuote + std::string(text) + kQuote, within_tools()});
  }

  Result<void> add_statement(std::string_view inner) {
    const size_t start = inner.find_first_not_of(kSpaces);
    const std::string_view text = start == std::string_view::npos ? "" : inner.substr(start);
    const auto name_end = std::find_if_not(text.begin(), text.end(), is_name);
    const std::string_view name = text.substr(0, name_end - text.begin());
    if (std::find(kStatements.begin(), kStatements.end(), name) == kStatements.end())
      return failure("has the statement " + printable(name));
    std::string statement = canonical_jinja(text);
    if (name == "set" && statement.find('=') == std::string::npos)
      return failure("sets a variable to a block");
    if (name == "endif" || name == "endfor" || name == "elif" || name == "else") {
      if (about_tools_.empty()) return failure("has " + std::string(name) + " without a start");
      about_tools_.pop_back();
    }
    if (name == "if" || name == "for" || name == "elif" || name == "else")
      about_tools_.push_back(statement.find("tool") != std::string::npos);
    outline_.statements.push_back(std::move(statement));
    return {};
  }

  bool within_tools() const {
    return std::find(about_tools_.begin(), about_tools_.end(), true) != about_tools_.end();
  }

  std::string_view source_;
  const std::string& where_;
  size_t position_ = 0;
  bool strip_after_ = false, after_block_ = false;  // of the tag before position_
  std::vector<bool> about_tools_;                   // of each open if and for
  TemplateOutline outline_;
};

}  // namespace

std::string canonical_jinja(std::string_view expression) {
  std::string out;
  for (size_t i = 0; i < expression.size();) {
    const char c = expression[i];
    if (c == '\'' || c == '"') {
      i = append_string(expression, i, out);
    } else {
      if (!is_space(c)) out += c;
      ++i;
    }
  }
  return with_dots(out);
}

Result<TemplateOutline> outline_template(std::string_view source, const std::string& where) {
  return Outliner(source, where).read();
}

}  // namespace ponder
