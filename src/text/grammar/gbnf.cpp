#include "text/grammar/gbnf.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "io/printable.hpp"
#include "text/grammar/text_cursor.hpp"

namespace ponder {
namespace {

constexpr size_t kMostBytes = 1 << 18;
constexpr int kMostGroups = 64;  // one in another
constexpr int kMostSigns = 500;  // * + ? or {} behind each other

class GbnfParser {
 public:
  GbnfParser(Grammar& grammar, std::string_view text) : grammar_(grammar), cursor_{text} {}

  Result<RuleId> run() {
    for (skip(true); !cursor_.done(); skip(true)) {
      const size_t start = cursor_.at;
      const std::string_view rule_name = name();
      skip(true);
      if (rule_name.empty() || !cursor_.eat("::=")) {
        cursor_.at = start;
        return fail("not a rule", "write: name ::= what it matches");
      }
      if (rule_of(rule_name).defined) {
        cursor_.at = start;
        return fail("the rule " + printable(rule_name) + " is there already", "use another name");
      }
      skip(true);
      const NodeId body = PONDER_TRY(alternatives(0));
      if (cursor_.peek() == ')') return fail("a ) without its (", "write \")\" for the character");
      Known& known = rule_of(rule_name);
      known.defined = true;
      grammar_.define(known.rule, body);
    }
    for (const auto& [rule_name, known] : rules_) {
      if (known.defined) continue;
      cursor_.at = known.seen;
      return fail("there is no rule " + printable(rule_name), "write it, or mend the name");
    }
    const auto root = rules_.find("root");
    if (root == rules_.end())
      return Failure{{.what = "there is no rule root",
                      .where = "grammar",
                      .mend = "call the rule that matches the whole text root"}};
    return root->second.rule;
  }

 private:
  struct Known {
    RuleId rule = -1;
    size_t seen = 0;  // where its name came first
    bool defined = false;
  };

  Failure fail(std::string what, std::string mend) const {
    const std::string_view before = cursor_.text.substr(0, cursor_.at);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const size_t newline = before.rfind('\n');
    const size_t column = newline == before.npos ? before.size() + 1 : before.size() - newline;
    return Failure{
        {.what = std::move(what),
         .where = "grammar, line " + std::to_string(line) + ", column " + std::to_string(column),
         .mend = std::move(mend)}};
  }

  // White space and comments; line breaks too if `lines`.
  void skip(bool lines) {
    while (!cursor_.done()) {
      const char c = cursor_.peek();
      if (c == '#') {
        while (!cursor_.done() && cursor_.peek() != '\n' && cursor_.peek() != '\r') ++cursor_.at;
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        ++cursor_.at;
      } else {
        return;
      }
    }
  }

  static bool in_name(char c) {
    return TextCursor::is_letter(c) || TextCursor::is_digit(c) || c == '-' || c == '_';
  }
  std::string_view name() {
    const size_t start = cursor_.at;
    while (in_name(cursor_.peek())) ++cursor_.at;
    return cursor_.text.substr(start, cursor_.at - start);
  }
  Known& rule_of(std::string_view rule_name) {
    auto found = rules_.find(rule_name);
    if (found == rules_.end()) {
      const Known known = {grammar_.rule(std::string(rule_name)), cursor_.at - rule_name.size()};
      found = rules_.emplace(rule_name, known).first;
    }
    return found->second;
  }

  // A rule ends with its line, unless the next one starts with |.
  bool eat_bar(int depth) {
    const size_t start = cursor_.at;
    skip(true);
    if (cursor_.eat("|")) {
      skip(true);
      return true;
    }
    if (depth == 0) cursor_.at = start;
    return false;
  }

  Result<NodeId> alternatives(int depth) {
    std::vector<NodeId> parts;
    do parts.push_back(PONDER_TRY(sequence(depth)));
    while (eat_bar(depth));
    return grammar_.any_of(std::move(parts));
  }

  Result<NodeId> sequence(int depth) {
    std::vector<NodeId> parts;
    for (;; skip(depth > 0)) {
      const char c = cursor_.peek();
      if (cursor_.done() || c == '|' || c == ')' || c == '\n' || c == '\r') break;
      const NodeId part = PONDER_TRY(symbol(depth));
      parts.push_back(PONDER_TRY(repeated(part)));
    }
    return grammar_.sequence(std::move(parts));
  }

  Result<NodeId> symbol(int depth) {
    if (cursor_.peek() == '"') return literal();
    if (cursor_.peek() == '[') return char_class();
    if (cursor_.eat(".")) return grammar_.chars(CharSet::all());
    if (cursor_.peek() == '(') {
      if (depth >= kMostGroups)
        return fail("more than " + std::to_string(kMostGroups) + " groups in each other",
                    "make rules of the inner ones");
      ++cursor_.at;
      skip(true);
      const NodeId inside = PONDER_TRY(alternatives(depth + 1));
      if (!cursor_.eat(")")) return fail("a ( without its )", "close the group");
      return inside;
    }
    if (in_name(cursor_.peek())) return grammar_.call(rule_of(name()).rule);
    if (cursor_.peek() == '<' || cursor_.peek() == '!')
      return fail("references to tokens are not supported", "write the token's text as a literal");
    return fail("not a part of a rule", "use a literal in quotes, a [class], a (group) or a name");
  }

  Result<NodeId> repeated(NodeId part) {
    for (;;) {
      skip(false);
      RepeatCount count;
      if (cursor_.eat("*")) {
        count = {0, -1};
      } else if (cursor_.eat("+")) {
        count = {1, -1};
      } else if (cursor_.eat("?")) {
        count = {0, 1};
      } else if (cursor_.peek() == '{') {
        count = PONDER_TRY(braces());
      } else {
        return part;
      }
      part = grammar_.repeat(part, count.least, count.most);
      if (grammar_.node(part).depth > kMostSigns)
        return fail("too many repetitions of repetitions", "write one");
    }
  }

  Result<RepeatCount> braces() {
    const size_t start = cursor_.at++;
    skip(true);
    const auto least = cursor_.number(kMostRepeat);
    skip(true);
    std::optional<int64_t> most = least;
    if (cursor_.eat(",")) {
      skip(true);
      most = cursor_.number(kMostRepeat);
      if (!most) most = -1;
      skip(true);
    }
    if (!most || !cursor_.eat("}"))
      return fail("not a count", "write {n}, {least,} or {least,most}");
    const int64_t from = least.value_or(0);
    if (from > kMostRepeat || *most > kMostRepeat || (*most >= 0 && *most < from)) {
      cursor_.at = start;
      return fail("a repetition of more than " + std::to_string(kMostRepeat) +
                      ", or with its bounds the wrong way round",
                  "use {least,most} with smaller counts, or * or +");
    }
    return RepeatCount{from, *most};
  }

  Result<NodeId> literal() {
    ++cursor_.at;
    std::string text;
    while (!cursor_.eat("\"")) {
      if (cursor_.done()) return fail("a literal without its end", "close it with \"");
      append_utf8(text, PONDER_TRY(character()));
    }
    return grammar_.text(text);
  }

  Result<NodeId> char_class() {
    const size_t start = cursor_.at++;
    const bool negated = cursor_.eat("^");
    CharSet set;
    while (!cursor_.eat("]")) {
      if (cursor_.done()) return fail("a [ without its ]", "close the class");
      const uint32_t first = PONDER_TRY(character());
      uint32_t last = first;
      if (cursor_.peek() == '-' && cursor_.peek(1) != ']') {
        ++cursor_.at;
        if (cursor_.done()) return fail("a [ without its ]", "close the class");
        last = PONDER_TRY(character());
      }
      if (last < first) return fail("a range that goes backwards", "swap its ends");
      set.add(first, last);
    }
    if (negated) set = set.complement();
    if (set.empty()) {
      cursor_.at = start;
      return fail("an empty class", "put a character into it");
    }
    return grammar_.chars(set);
  }

  // One character of a literal or class.
  Result<uint32_t> character() {
    if (cursor_.peek() != '\\') return cursor_.take();
    ++cursor_.at;
    std::optional<uint32_t> code;
    if (cursor_.eat("x")) {
      code = cursor_.hex(2);
    } else if (cursor_.eat("u")) {
      code = cursor_.hex(4);
    } else if (cursor_.eat("U")) {
      code = cursor_.hex(8);
    } else {
      constexpr std::string_view kLetters = "nrt\\\"[]-", kMeanings = "\n\r\t\\\"[]-";
      if (const size_t i = kLetters.find(cursor_.peek()); i != kLetters.npos && !cursor_.done()) {
        ++cursor_.at;
        return static_cast<uint32_t>(kMeanings[i]);
      }
    }
    if (!code || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
      return fail("not an escape",
                  "use \\n \\r \\t \\\\ \\\" \\[ \\] \\xHH \\uHHHH or \\UHHHHHHHH");
    return *code;
  }

  Grammar& grammar_;
  TextCursor cursor_;
  std::map<std::string, Known, std::less<>> rules_;
};

}  // namespace

Result<RuleId> add_gbnf(Grammar& grammar, std::string_view text) {
  if (text.size() > kMostBytes)
    return Failure{{.what = "longer than " + std::to_string(kMostBytes) + " bytes",
                    .where = "grammar",
                    .mend = "use a shorter one"}};
  if (repaired_utf8(text))
    return Failure{{.what = "is not UTF-8", .where = "grammar", .mend = "encode it as UTF-8"}};
  return GbnfParser(grammar, text).run();
}

}  // namespace ponder
