#include "text/grammar/regex.hpp"

#include <algorithm>
#include <utility>

#include "io/printable.hpp"
#include "text/grammar/regex_classes.hpp"
#include "text/grammar/text_cursor.hpp"

namespace ponder {
namespace {

constexpr size_t kMostBytes = 1 << 16;
constexpr int kMostGroups = 64;  // one in another
constexpr int64_t kEndless = int64_t{1} << 40;

// A part of the pattern, and how many characters it matches.
struct Part {
  NodeId node = 0;
  int64_t least = 0, most = 0;
};

// An alternative at the top, where ^ and $ may stand.
struct Branch {
  Part part;
  bool from_start = false, to_end = false;
};

class RegexParser {
 public:
  RegexParser(Grammar& grammar, std::string_view pattern, const RegexOptions& options)
      : grammar_(grammar), cursor_{pattern}, options_(options) {}

  Result<NodeId> run() {
    std::vector<NodeId> branches;
    do {
      Branch branch;
      while (cursor_.eat("^")) branch.from_start = true;
      branch.part = PONDER_TRY(sequence(0));
      while (cursor_.eat("$")) branch.to_end = true;
      if (!cursor_.done() && cursor_.peek() != '|')
        return branch.to_end ? fail("$ in the middle", "use it at the end only")
                             : fail("a ) without its (", "write \\) for the character");
      branches.push_back(PONDER_TRY(fitted(branch)));
    } while (cursor_.eat("|"));
    return grammar_.any_of(std::move(branches));
  }

 private:
  Failure fail(std::string what, std::string mend) const {
    return Failure{{.what = std::move(what),
                    .where = options_.where + ", offset " + std::to_string(cursor_.at),
                    .mend = std::move(mend)}};
  }

  // The branch with what may stand around it, as long as the text may be.
  Result<NodeId> fitted(const Branch& branch) {
    const int64_t most = options_.most < 0 ? kEndless : options_.most;
    const Part& part = branch.part;
    const bool open_start = options_.search && !branch.from_start;
    const bool open_end = options_.search && !branch.to_end;
    const bool fits = part.most <= most && (part.least >= options_.least || open_start || open_end);
    if (!fits)
      return fail("the pattern matches from " + std::to_string(part.least) + " to " +
                      (part.most >= kEndless ? "any number of" : std::to_string(part.most)) +
                      " characters, which minLength or maxLength may not allow",
                  "put the length into the pattern");
    if (!open_start && !open_end) return part.node;
    const NodeId any = options_.spell(CharSet::all());
    if (options_.least == 0 && options_.most < 0) {
      const NodeId around = grammar_.repeat(any, 0, Grammar::kUnbounded);
      return grammar_.sequence({open_start ? around : grammar_.empty(), part.node,
                                open_end ? around : grammar_.empty()});
    }
    const NodeId rest = grammar_.repeat(any, std::max<int64_t>(0, options_.least - part.least),
                                        options_.most < 0 ? Grammar::kUnbounded : most - part.most);
    return open_end ? grammar_.sequence({part.node, rest}) : grammar_.sequence({rest, part.node});
  }

  Result<Part> alternatives(int depth) {
    std::vector<NodeId> nodes;
    Part all = {.least = kEndless};
    do {
      const Part part = PONDER_TRY(sequence(depth));
      nodes.push_back(part.node);
      all.least = std::min(all.least, part.least);
      all.most = std::max(all.most, part.most);
    } while (cursor_.eat("|"));
    all.node = grammar_.any_of(std::move(nodes));
    return all;
  }

  Result<Part> sequence(int depth) {
    std::vector<NodeId> nodes;
    Part all;
    while (!cursor_.done() && cursor_.peek() != '|' && cursor_.peek() != ')') {
      if (cursor_.peek() == '$') {
        if (depth == 0) break;
        return fail("$ inside a group", "use it at the end of the pattern only");
      }
      const Part part = PONDER_TRY(repeated(depth));
      nodes.push_back(part.node);
      all.least = std::min(kEndless, all.least + part.least);
      all.most = std::min(kEndless, all.most + part.most);
    }
    all.node = grammar_.sequence(std::move(nodes));
    return all;
  }

  Result<Part> repeated(int depth) {
    Part part = PONDER_TRY(atom(depth));
    const auto count = PONDER_TRY(repeat_count());
    if (!count) return part;
    if (cursor_.peek() == '+') return fail("possessive repetition", "leave the second + out");
    cursor_.eat("?");  // lazy or not, the texts are the same
    if (PONDER_TRY(repeat_count()))
      return fail("a repetition of a repetition", "put the inner one into a group");
    const auto times = [](int64_t length, int64_t n) {
      if (length == 0 || n == 0) return int64_t{0};
      return n < 0 || length > kEndless / n ? kEndless : length * n;
    };
    return Part{grammar_.repeat(part.node, count->least, count->most),
                times(part.least, count->least), times(part.most, count->most)};
  }

  // A { that starts no count is a character.
  Result<std::optional<RepeatCount>> repeat_count() {
    using Count = std::optional<RepeatCount>;
    if (cursor_.eat("*")) return Count({0, -1});
    if (cursor_.eat("+")) return Count({1, -1});
    if (cursor_.eat("?")) return Count({0, 1});
    const size_t start = cursor_.at;
    if (!cursor_.eat("{")) return Count();
    const auto least = cursor_.number(kMostRepeat);
    auto most = least;
    if (least && cursor_.eat(",")) {
      most = cursor_.number(kMostRepeat);
      if (!most) most = -1;
    }
    if (!least || !cursor_.eat("}")) {
      cursor_.at = start;
      return Count();
    }
    if (*least > kMostRepeat || *most > kMostRepeat)
      return fail("a repetition of more than " + std::to_string(kMostRepeat),
                  "use a smaller count, or * or +");
    if (*most >= 0 && *most < *least)
      return fail("a repetition whose bounds are the wrong way round", "write {least,most}");
    return Count({*least, *most});
  }

  Result<Part> atom(int depth) {
    const char c = cursor_.peek();
    switch (c) {
      case '(':
        return group(depth);
      case '[':
        return one(PONDER_TRY(char_class()));
      case '.':
        ++cursor_.at;
        return one(regex_dot());
      case '^':
        return fail("^ in the middle", "use it at the start of the pattern only");
      case '*':
      case '+':
      case '?':
        return fail("nothing to repeat", "write \\ before the character");
      case '\\':
        return one(PONDER_TRY(escape()).narrow);
      default:
        break;
    }
    const uint32_t code = cursor_.take();
    return one(CharSet::range(code, code));
  }

  Part one(const CharSet& set) { return {options_.spell(set), 1, 1}; }

  Result<Part> group(int depth) {
    if (depth >= kMostGroups)
      return fail("more than " + std::to_string(kMostGroups) + " groups in each other",
                  "use fewer");
    ++cursor_.at;
    if (cursor_.eat("?")) {
      if (cursor_.eat("<=") || cursor_.eat("<!") || cursor_.eat("=") || cursor_.eat("!"))
        return fail("lookaround is not supported", "say it without");
      if (cursor_.eat("P<") || cursor_.eat("<")) {
        while (TextCursor::is_letter(cursor_.peek()) || TextCursor::is_digit(cursor_.peek()) ||
               cursor_.peek() == '_')
          ++cursor_.at;
        if (!cursor_.eat(">")) return fail("not a name of a group", "write (?<name>…)");
      } else if (!cursor_.eat(":")) {
        return fail("this kind of group is not supported", "use (…) or (?:…)");
      }
    }
    const Part part = PONDER_TRY(alternatives(depth + 1));
    if (!cursor_.eat(")")) return fail("a ( without its )", "close the group");
    return part;
  }

  Failure unknown_escape(char letter) const {
    if (TextCursor::is_digit(letter) || letter == 'k')
      return fail("references to groups are not supported", "say it without");
    if (letter == 'b' || letter == 'B')
      return fail("word boundaries are not supported", "say it without");
    return fail("the escape " + printable(std::string("\\") + letter) + " is not supported",
                "use the character itself, or \\u{…}");
  }

  Result<uint32_t> code_of(int digits) {
    std::optional<uint32_t> code;
    if (cursor_.eat("{")) {
      int length = 0;
      while (length < 7 && TextCursor::hex_digit(cursor_.peek(static_cast<size_t>(length))) >= 0)
        ++length;
      code = length == 0 ? std::nullopt : cursor_.hex(length);
      if (!cursor_.eat("}")) code = {};
    } else {
      code = cursor_.hex(digits);
      const bool high = digits == 4 && code && *code >= 0xd800 && *code < 0xdc00;
      if (high && cursor_.eat("\\u")) {
        const auto low = cursor_.hex(4);
        const bool pair = low && *low >= 0xdc00 && *low < 0xe000;
        code =
            pair ? std::optional(0x10000 + ((*code & 0x3ff) << 10) + (*low & 0x3ff)) : std::nullopt;
      }
    }
    if (!code || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
      return fail("not the number of a character", "write \\xHH, \\uHHHH or \\u{H…}");
    return *code;
  }

  Result<RegexClass> escape() {
    ++cursor_.at;
    if (cursor_.done()) return fail("a \\ at the end", "write \\\\ for the character");
    const char letter = cursor_.peek();
    const auto single = [](uint32_t code) {
      return RegexClass{CharSet::range(code, code), CharSet::range(code, code)};
    };
    if (!TextCursor::is_letter(letter) && !TextCursor::is_digit(letter))
      return single(cursor_.take());
    ++cursor_.at;
    if (const auto known = regex_class(letter)) return *known;
    switch (letter) {
      case 'n':
        return single('\n');
      case 'r':
        return single('\r');
      case 't':
        return single('\t');
      case 'f':
        return single('\f');
      case 'v':
        return single('\v');
      case '0':
        if (TextCursor::is_digit(cursor_.peek())) return unknown_escape('1');
        return single(0);
      case 'x':
        return single(PONDER_TRY(code_of(2)));
      case 'u':
        return single(PONDER_TRY(code_of(4)));
      case 'c':
        if (!TextCursor::is_letter(cursor_.peek())) return unknown_escape('c');
        return single(cursor_.take() & 0x1f);
      case 'p':
      case 'P':
        return property(letter == 'P');
      default:
        return unknown_escape(letter);
    }
  }

  Result<RegexClass> property(bool opposite) {
    const size_t end = cursor_.text.find('}', cursor_.at);
    if (cursor_.eat("{") && end != std::string_view::npos) {
      const auto set = unicode_property(cursor_.text.substr(cursor_.at, end - cursor_.at));
      if (set) {
        cursor_.at = end + 1;
        const RegexClass known = {*set, *set};
        return opposite ? known.opposite() : known;
      }
    }
    return fail("this property of characters is not supported",
                "use L, N, P, S or M, or list the characters");
  }

  Result<CharSet> char_class() {
    ++cursor_.at;
    const bool negated = cursor_.eat("^");
    RegexClass all;
    bool first = true;
    for (; !cursor_.eat("]"); first = false) {
      if (cursor_.done()) return fail("a [ without its ]", "close the class");
      const bool ranged_class = cursor_.peek() == '\\';
      const RegexClass low = PONDER_TRY(class_item());
      if (cursor_.peek() != '-' || cursor_.peek(1) == ']' || cursor_.peek(1) == '\0') {
        all.add(low);
        continue;
      }
      ++cursor_.at;
      const RegexClass high = PONDER_TRY(class_item());
      const auto from = low.narrow.ranges(), to = high.narrow.ranges();
      const auto is_char = [](const auto& ranges) {
        return ranges.size() == 1 && ranges[0].first == ranges[0].last;
      };
      if (!is_char(from) || !is_char(to) || from[0].first > to[0].first)
        return fail(ranged_class ? "a range between classes" : "a range that goes backwards",
                    "write - at the end of the class for the character");
      all.add(CharSet::range(from[0].first, to[0].first));
    }
    if (first && !negated) return fail("an empty class", "put a character into it");
    return negated ? all.wide.complement() : all.narrow;
  }

  Result<RegexClass> class_item() {
    if (cursor_.peek() == '\\') {
      if (cursor_.peek(1) == 'b') {  // a backspace, but only in classes
        cursor_.at += 2;
        return RegexClass{CharSet::of("\b"), CharSet::of("\b")};
      }
      return escape();
    }
    const uint32_t code = cursor_.take();
    return RegexClass{CharSet::range(code, code), CharSet::range(code, code)};
  }

  Grammar& grammar_;
  TextCursor cursor_;
  const RegexOptions& options_;
};

}  // namespace

Result<NodeId> add_regex(Grammar& grammar, std::string_view pattern, const RegexOptions& options) {
  if (pattern.size() > kMostBytes)
    return Failure{{.what = "longer than " + std::to_string(kMostBytes) + " bytes",
                    .where = options.where,
                    .mend = "use a shorter pattern"}};
  if (repaired_utf8(pattern))
    return Failure{{.what = "is not UTF-8", .where = options.where, .mend = "encode it as UTF-8"}};
  return RegexParser(grammar, pattern, options).run();
}

}  // namespace ponder
