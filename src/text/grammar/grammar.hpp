// A grammar as it is put together: nodes made of nodes, and rules that nodes may call. All sources
// of constraints (JSON schema, regex, choice, GBNF) become one of these.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/char_set.hpp"

namespace ponder {

using NodeId = int32_t;
using RuleId = int32_t;

// Nodes are made bottom-up and never change. Beyond kMostNodes nothing more is kept and
// too_large() is true: whoever builds a grammar asks at its end.
class Grammar {
 public:
  static constexpr size_t kMostNodes = 200'000;
  static constexpr int64_t kUnbounded = -1;

  Grammar() { empty(); }

  NodeId empty();
  NodeId text(std::string_view bytes);  // exactly these bytes
  NodeId chars(const CharSet& set);     // one character; of an empty set: what nothing matches
  NodeId token(int32_t id);             // this token, whatever its bytes are
  NodeId sequence(std::vector<NodeId> parts);
  NodeId any_of(std::vector<NodeId> parts);  // of none: what nothing matches
  NodeId repeat(NodeId part, int64_t least, int64_t most);
  NodeId optional(NodeId part) { return repeat(part, 0, 1); }
  NodeId call(RuleId rule);
  // One of these texts. Common beginnings are shared.
  NodeId texts(std::vector<std::string> texts);

  RuleId rule(std::string name);  // define() comes later; until then nothing matches it
  void define(RuleId rule, NodeId body);
  // A rule of its own for a node.
  NodeId as_rule(std::string name, NodeId body);

  enum class Kind : uint8_t { kEmpty, kText, kChars, kToken, kSequence, kAnyOf, kRepeat, kCall };
  struct Node {
    Kind kind = Kind::kEmpty;
    int32_t value = 0;            // of kToken and kCall; of kChars its place in sets()
    int64_t least = 0, most = 0;  // of kRepeat
    std::string text = {};
    std::vector<NodeId> parts = {};
    int64_t size = 1;  // states that it takes, about
    int depth = 1;     // of nodes in nodes
  };
  struct Rule {
    std::string name;
    NodeId body = -1;
  };
  const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id)]; }
  const CharSet& set(const Node& node) const { return sets_[static_cast<size_t>(node.value)]; }
  const std::vector<Rule>& rules() const { return rules_; }
  bool too_large() const { return too_large_; }

 private:
  NodeId add(Node node);

  std::deque<Node> nodes_;
  std::vector<CharSet> sets_;
  std::vector<Rule> rules_;
  size_t parts_ = 0;  // of all nodes
  bool too_large_ = false;
};

}  // namespace ponder
