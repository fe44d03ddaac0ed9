#include "text/grammar/grammar.hpp"

#include <algorithm>

#include "base/macros.hpp"

namespace ponder {
namespace {

constexpr int64_t kHuge = int64_t{1} << 40;

}  // namespace

NodeId Grammar::add(Node node) {
  parts_ += node.parts.size() + node.text.size() / 8;
  if (nodes_.size() >= kMostNodes || parts_ >= 4 * kMostNodes) {
    too_large_ = true;
    return 0;
  }
  int64_t size = static_cast<int64_t>(node.text.size());
  int depth = 0;
  for (const NodeId part : node.parts) {
    size = std::min(kHuge, size + this->node(part).size);
    depth = std::max(depth, this->node(part).depth);
  }
  if (node.kind == Kind::kRepeat) {
    const int64_t copies = std::max<int64_t>({1, node.least, node.most});
    size = copies > kHuge / std::max<int64_t>(1, size) ? kHuge : copies * size;
  }
  node.size = std::max<int64_t>(node.size, size);
  node.depth = depth + 1;
  nodes_.push_back(std::move(node));
  return static_cast<NodeId>(nodes_.size() - 1);
}

// The first node, number 0, is the empty one.
NodeId Grammar::empty() { return nodes_.empty() ? add({}) : 0; }

NodeId Grammar::text(std::string_view bytes) {
  return bytes.empty() ? empty() : add({.kind = Kind::kText, .text = std::string(bytes)});
}

NodeId Grammar::chars(const CharSet& set) {
  sets_.push_back(set);
  return add({.kind = Kind::kChars,
              .value = static_cast<int32_t>(sets_.size() - 1),
              .size = static_cast<int64_t>(set.ranges().size()) * 3});
}

NodeId Grammar::token(int32_t id) { return add({.kind = Kind::kToken, .value = id}); }

NodeId Grammar::sequence(std::vector<NodeId> parts) {
  std::erase(parts, empty());
  if (parts.empty()) return empty();
  if (parts.size() == 1) return parts[0];
  return add({.kind = Kind::kSequence, .parts = std::move(parts)});
}

NodeId Grammar::any_of(std::vector<NodeId> parts) {
  if (parts.size() == 1) return parts[0];
  return add({.kind = Kind::kAnyOf, .parts = std::move(parts)});
}

NodeId Grammar::repeat(NodeId part, int64_t least, int64_t most) {
  if (most == 0 || part == empty()) return empty();
  if (least == 1 && most == 1) return part;
  return add({.kind = Kind::kRepeat, .least = least, .most = most, .parts = {part}});
}

NodeId Grammar::call(RuleId rule) { return add({.kind = Kind::kCall, .value = rule}); }

NodeId Grammar::texts(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  // Of the sorted texts [first, last), which share so many bytes: what follows these. Each such
  // branch becomes a rule, since nodes would nest as deep as a text is long.
  struct Branch {
    size_t first, last, shared;
    RuleId rule;
  };
  std::vector<Branch> open = {{0, texts.size(), 0, -1}};
  NodeId top = empty();
  for (size_t i = 0; i < open.size() && !too_large_; ++i) {
    const Branch branch = open[i];
    std::vector<NodeId> parts;
    size_t at = branch.first;
    if (at < branch.last && texts[at].size() == branch.shared) {
      parts.push_back(empty());
      ++at;
    }
    while (at < branch.last) {
      size_t end = at + 1;
      while (end < branch.last && texts[end][branch.shared] == texts[at][branch.shared]) ++end;
      const std::string& low = texts[at];
      const std::string& high = texts[end - 1];
      size_t common = branch.shared;
      while (common < low.size() && common < high.size() && low[common] == high[common]) ++common;
      const NodeId head = text(std::string_view(low).substr(branch.shared, common - branch.shared));
      if (end - at == 1) {
        parts.push_back(head);
      } else {
        const RuleId rest = rule({});
        open.push_back({at, end, common, rest});
        parts.push_back(sequence({head, call(rest)}));
      }
      at = end;
    }
    const NodeId body = any_of(std::move(parts));
    if (branch.rule < 0)
      top = body;
    else
      define(branch.rule, body);
  }
  return top;
}

RuleId Grammar::rule(std::string name) {
  rules_.push_back({std::move(name), -1});
  if (rules_.size() > kMostNodes) too_large_ = true;
  return static_cast<RuleId>(rules_.size() - 1);
}

void Grammar::define(RuleId rule, NodeId body) {
  PONDER_CHECK(rules_[static_cast<size_t>(rule)].body < 0);
  rules_[static_cast<size_t>(rule)].body = body;
}

NodeId Grammar::as_rule(std::string name, NodeId body) {
  const RuleId made = rule(std::move(name));
  define(made, body);
  return call(made);
}

}  // namespace ponder
