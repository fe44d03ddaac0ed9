#include "text/grammar/source_grammar.hpp"

#include <algorithm>
#include <map>

#include "io/printable.hpp"
#include "text/grammar/gbnf.hpp"
#include "text/grammar/json_grammar.hpp"
#include "text/grammar/regex.hpp"
#include "text/grammar/schema.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr int kMostSources = 32;  // in each other
constexpr size_t kMostChoices = 16'384;
constexpr size_t kMostTextBytes = 1 << 20;

class SourceBuilder {
 public:
  SourceBuilder(Grammar& grammar, const TokenVocabulary& vocabulary)
      : grammar_(grammar), vocabulary_(vocabulary) {}

  Result<NodeId> build(const ConstraintSource& source, int depth) {
    using Kind = ConstraintSource::Kind;
    if (depth > kMostSources)
      return fail("more than " + std::to_string(kMostSources) + " sources in each other",
                  "compose fewer");
    if (source.text.size() > kMostTextBytes)
      return fail("longer than " + std::to_string(kMostTextBytes) + " bytes", "use less text");
    switch (source.kind) {
      case Kind::kJsonObject:
        return JsonGrammar(grammar_).object();
      case Kind::kJsonSchema:
        return add_schema(grammar_, source.text);
      case Kind::kRegex:
        return add_regex(
            grammar_, source.text,
            {.spell = [&](const CharSet& set) { return grammar_.chars(set); }, .where = "regex"});
      case Kind::kGrammar:
        return grammar_.call(PONDER_TRY(add_gbnf(grammar_, source.text)));
      case Kind::kChoice:
        return choice(source.choices);
      case Kind::kLiteral:
        return literal(source.text);
      case Kind::kMarker:
        return marker(source.text);
      case Kind::kSequence:
        return grammar_.sequence(PONDER_TRY(parts(source, depth)));
      case Kind::kAnyOf:
        return grammar_.any_of(PONDER_TRY(parts(source, depth)));
      case Kind::kRepeat: {
        const auto inner = PONDER_TRY(parts(source, depth));
        return grammar_.repeat(inner.at(0), source.least, source.most);
      }
      case Kind::kFreeText:
        return free_text(source, depth);
    }
    return fail("unknown kind of source", "use one that ConstraintSource makes");
  }

 private:
  static Failure fail(std::string what, std::string mend) {
    return Failure{{.what = std::move(what), .where = "constraint", .mend = std::move(mend)}};
  }

  Result<std::vector<NodeId>> parts(const ConstraintSource& source, int depth) {
    std::vector<NodeId> nodes;
    for (const ConstraintSource& part : source.parts)
      nodes.push_back(PONDER_TRY(build(part, depth + 1)));
    return nodes;
  }

  Result<NodeId> choice(const std::vector<std::string>& texts) {
    const auto choice_fail = [](std::string what, std::string mend) {
      return Failure{{.what = std::move(what), .where = "choice", .mend = std::move(mend)}};
    };
    if (texts.empty()) return choice_fail("there is nothing to choose", "give one text at least");
    if (texts.size() > kMostChoices)
      return choice_fail("more than " + std::to_string(kMostChoices) + " texts", "give fewer");
    for (const std::string& text : texts) {
      if (text.empty()) return choice_fail("a text is empty", "leave it out");
      if (text.size() > kMostTextBytes || repaired_utf8(text))
        return choice_fail("a text is too long or not UTF-8",
                           "mend or leave out " + printable(text));
    }
    return grammar_.texts(texts);
  }

  Result<NodeId> literal(const std::string& text) {
    if (repaired_utf8(text)) return fail("a literal is not UTF-8", "encode it as UTF-8");
    return grammar_.text(text);
  }

  NodeId marker(const std::string& text) {
    std::vector<NodeId> nodes;
    for (const TokenVocabulary::Piece& piece : vocabulary_.pieces(text))
      nodes.push_back(piece.token >= 0 ? grammar_.token(piece.token) : grammar_.text(piece.text));
    return grammar_.sequence(std::move(nodes));
  }

  // A rule for each number of the trigger's characters that have just been read, as in the search
  // of Knuth, Morris and Pratt.
  Result<NodeId> free_text(const ConstraintSource& source, int depth) {
    const NodeId rest = grammar_.as_rule({}, PONDER_TRY(parts(source, depth)).at(0));
    const auto pieces = vocabulary_.pieces(source.text);
    if (source.text.empty() || repaired_utf8(source.text))
      return fail("a trigger is empty or not UTF-8", "give it some text");
    for (size_t i = 1; i < pieces.size(); ++i)
      if (pieces[i].token >= 0)
        return fail("the trigger " + printable(source.text) + " has an added token inside",
                    "let it begin with that token");
    std::vector<uint32_t> trigger;
    for (size_t i = 0; i < source.text.size();) {
      const Char next = decode_char(source.text, i);
      trigger.push_back(next.code);
      i += next.length;
    }
    if (trigger.size() > 256) return fail("a trigger of more than 256 characters", "shorten it");
    std::vector<RuleId> rules;
    for (size_t i = 0; i < trigger.size(); ++i) rules.push_back(grammar_.rule({}));
    std::vector<std::map<uint32_t, size_t>> next(trigger.size());  // by what was read; else 0
    size_t border = 0;  // how much of the trigger what was read ends with, itself left out
    for (size_t i = 0; i < trigger.size(); ++i) {
      if (i > 0) next[i] = next[border];
      next[i][trigger[i]] = i + 1;
      if (i > 0) {
        const auto found = next[border].find(trigger[i]);
        border = found == next[border].end() ? 0 : found->second;
      }
      std::vector<NodeId> ways = {free_branches(rules, next[i], rest)};
      if (pieces[0].token >= 0) ways.push_back(grammar_.sequence({marker(source.text), rest}));
      if (source.may_end) ways.push_back(grammar_.empty());
      grammar_.define(rules[i], grammar_.any_of(std::move(ways)));
    }
    return grammar_.call(rules[0]);
  }

  // The next character: `next` tells how much of the trigger has then been read, if anything.
  NodeId free_branches(const std::vector<RuleId>& rules, const std::map<uint32_t, size_t>& next,
                       NodeId rest) {
    std::vector<NodeId> branches;
    CharSet others = CharSet::all();
    for (const auto& [code, to] : next) {
      const CharSet one = CharSet::range(code, code);
      const NodeId behind = to == rules.size() ? rest : grammar_.call(rules[to]);
      branches.push_back(grammar_.sequence({grammar_.chars(one), behind}));
      others = others.minus(one);
    }
    branches.push_back(grammar_.sequence({grammar_.chars(others), grammar_.call(rules[0])}));
    return grammar_.any_of(std::move(branches));
  }

  Grammar& grammar_;
  const TokenVocabulary& vocabulary_;
};

}  // namespace

Result<RuleId> add_source(Grammar& grammar, const TokenVocabulary& vocabulary,
                          const ConstraintSource& source) {
  const NodeId body = PONDER_TRY(SourceBuilder(grammar, vocabulary).build(source, 0));
  const RuleId root = grammar.rule({});
  grammar.define(root, body);
  return root;
}

}  // namespace ponder
