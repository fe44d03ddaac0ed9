#include "text/grammar/json_grammar.hpp"

#include <map>
#include <set>

#include "text/unicode.hpp"

namespace ponder {
namespace {

// What a string must escape, and how.
CharSet escaped_characters() { return CharSet::range(0, 0x1f).add(CharSet::of("\"\\")); }

std::string dumped(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

// \ and what may follow it in a string; of \u, pairs of surrogates only.
NodeId any_escape(Grammar& grammar) {
  const auto chars = [&](std::string_view set) { return grammar.chars(CharSet::of(set)); };
  const NodeId hex = chars("0123456789abcdefABCDEF");
  const NodeId plain = grammar.sequence({chars("0123456789abcefABCEF"), hex, hex, hex});
  const NodeId below = grammar.sequence({chars("dD"), chars("01234567"), hex, hex});
  const NodeId pair = grammar.sequence({chars("dD"), chars("89abAB"), hex, hex, grammar.text("\\u"),
                                        chars("dD"), chars("cdefCDEF"), hex, hex});
  const NodeId code = grammar.sequence({grammar.text("u"), grammar.any_of({plain, below, pair})});
  return grammar.sequence({grammar.text("\\"), grammar.any_of({chars("\"\\/bfnrt"), code})});
}

}  // namespace

JsonGrammar::JsonGrammar(Grammar& grammar) : grammar_(grammar) {
  const auto spaced = [&](std::string_view sign) {
    return grammar.sequence({grammar.text(sign), grammar.optional(grammar.text(" "))});
  };
  quote_ = grammar.text("\"");
  comma_ = spaced(",");
  colon_ = spaced(":");
  any_character_ = grammar.as_rule(
      {}, grammar.any_of({grammar.chars(escaped_characters().complement()), any_escape(grammar)}));

  const NodeId digit = grammar.chars(CharSet::range('0', '9'));
  const NodeId whole = grammar.any_of(
      {grammar.text("0"),
       grammar.sequence({grammar.chars(CharSet::range('1', '9')), grammar.repeat(digit, 0, 14)})});
  integer_ = grammar.as_rule({}, grammar.sequence({grammar.optional(grammar.text("-")), whole}));
  const NodeId fraction = grammar.sequence({grammar.text("."), grammar.repeat(digit, 1, 15)});
  const NodeId exponent = grammar.sequence({grammar.chars(CharSet::of("eE")),
                                            grammar.optional(grammar.chars(CharSet::of("+-"))),
                                            grammar.repeat(digit, 1, 2)});
  number_ = grammar.as_rule(
      {}, grammar.sequence({integer_, grammar.optional(fraction), grammar.optional(exponent)}));

  const RuleId value = grammar.rule({}), object = grammar.rule({}), array = grammar.rule({});
  value_ = grammar.call(value);
  object_ = grammar.call(object);
  array_ = grammar.call(array);
  const NodeId text = grammar.as_rule({}, string());
  grammar.define(value, grammar.any_of({object_, array_, text, number_, boolean(), null()}));
  grammar.define(object, grammar.sequence({grammar.text("{"),
                                           list(member(text, value_), 0, Grammar::kUnbounded),
                                           grammar.text("}")}));
  grammar.define(array, grammar.sequence({grammar.text("["), list(value_, 0, Grammar::kUnbounded),
                                          grammar.text("]")}));
}

NodeId JsonGrammar::character(const CharSet& set) {
  const CharSet escaped = escaped_characters();
  std::vector<NodeId> parts;
  if (const CharSet plain = set.minus(escaped); !plain.empty())
    parts.push_back(grammar_.chars(plain));
  std::vector<std::string> texts;
  for (const CharSet::Range& range : set.both(escaped).ranges())
    for (uint32_t code = range.first; code <= range.last; ++code) {
      const std::string text = dumped(std::string(1, static_cast<char>(code)));
      texts.push_back(text.substr(1, text.size() - 2));
    }
  if (!texts.empty()) parts.push_back(grammar_.texts(std::move(texts)));
  return grammar_.any_of(std::move(parts));
}

NodeId JsonGrammar::string(int64_t least, int64_t most) {
  return quoted(grammar_.repeat(any_character_, least, most));
}

NodeId JsonGrammar::string_except(const std::vector<std::string>& texts) {
  const CharSet plain = escaped_characters().complement();
  const NodeId rest = grammar_.repeat(grammar_.chars(plain), 0, Grammar::kUnbounded);
  // A tree of the texts' characters: a string that leaves it is another, as is one that ends
  // between them.
  struct Branch {
    RuleId rule = -1;
    std::map<uint32_t, size_t> next = {};
    bool is_text = false;
  };
  std::vector<Branch> tree = {{.rule = grammar_.rule({})}};
  for (const std::string& text : texts) {
    size_t at = 0;
    for (size_t i = 0; i < text.size();) {
      const Char next = decode_char(text, i);
      i += next.length;
      const auto [found, fresh] = tree[at].next.try_emplace(next.code, tree.size());
      at = found->second;
      if (fresh) tree.push_back({.rule = grammar_.rule({})});
    }
    tree[at].is_text = true;
  }
  for (const Branch& branch : tree) {
    std::vector<NodeId> parts;
    CharSet others;
    for (const auto& [code, below] : branch.next) {
      others.add(code, code);
      const CharSet one = CharSet::range(code, code).both(plain);
      parts.push_back(grammar_.sequence({grammar_.chars(one), grammar_.call(tree[below].rule)}));
    }
    parts.push_back(grammar_.sequence({grammar_.chars(plain.minus(others)), rest}));
    if (!branch.is_text) parts.push_back(grammar_.empty());
    grammar_.define(branch.rule, grammar_.any_of(std::move(parts)));
  }
  return quoted(grammar_.call(tree[0].rule));
}

NodeId JsonGrammar::constant(const OrderedJson& value) {
  std::vector<NodeId> parts;
  const auto separate = [&] {
    if (parts.size() > 1) parts.push_back(comma_);
  };
  if (value.is_object()) {
    parts.push_back(grammar_.text("{"));
    for (const auto& [name, inner] : value.items()) {
      separate();
      parts.push_back(member(key(name), constant(inner)));
    }
    parts.push_back(grammar_.text("}"));
  } else if (value.is_array()) {
    parts.push_back(grammar_.text("["));
    for (const OrderedJson& inner : value) {
      separate();
      parts.push_back(constant(inner));
    }
    parts.push_back(grammar_.text("]"));
  } else {
    parts.push_back(grammar_.text(dumped(value)));
  }
  return grammar_.sequence(std::move(parts));
}

NodeId JsonGrammar::key(std::string_view name) { return grammar_.text(dumped(name)); }

NodeId JsonGrammar::list(NodeId part, int64_t least, int64_t most) {
  if (most == 0) return grammar_.empty();
  const auto fewer = [](int64_t count) { return count <= 0 ? count : count - 1; };
  const NodeId more = grammar_.repeat(grammar_.sequence({comma_, part}), fewer(least), fewer(most));
  const NodeId some = grammar_.sequence({part, more});
  return least > 0 ? some : grammar_.optional(some);
}

}  // namespace ponder
