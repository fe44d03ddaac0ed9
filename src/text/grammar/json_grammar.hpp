// The pieces of JSON as parts of a grammar. Between tokens stands nothing, but after a comma or a
// colon one space may.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.hpp"
#include "text/grammar/grammar.hpp"

namespace ponder {

class JsonGrammar {
 public:
  explicit JsonGrammar(Grammar& grammar);

  // One character of a string out of a set, escaped where it has to be.
  NodeId character(const CharSet& set);
  // A string of any characters, escaped or not, so many of them.
  NodeId string(int64_t least = 0, int64_t most = Grammar::kUnbounded);
  NodeId quoted(NodeId content) { return grammar_.sequence({quote_, content, quote_}); }
  // A string without escapes that is none of these texts.
  NodeId string_except(const std::vector<std::string>& texts);
  // Numbers have 15 digits before the point and behind it at most, exponents two.
  NodeId integer() { return integer_; }
  NodeId number() { return number_; }
  NodeId boolean() { return grammar_.texts({"true", "false"}); }
  NodeId null() { return grammar_.text("null"); }
  NodeId object() { return object_; }
  NodeId array() { return array_; }
  NodeId value() { return value_; }
  NodeId constant(const OrderedJson& value);

  NodeId comma() { return comma_; }
  // A member of an object, whose key is a node or a text.
  NodeId member(NodeId key, NodeId value) { return grammar_.sequence({key, colon_, value}); }
  NodeId key(std::string_view name);
  // `least` to `most` of `part` with commas between.
  NodeId list(NodeId part, int64_t least, int64_t most);

 private:
  Grammar& grammar_;
  NodeId quote_, comma_, colon_, any_character_, integer_, number_, object_, array_, value_;
};

}  // namespace ponder
