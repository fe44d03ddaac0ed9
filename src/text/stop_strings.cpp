#include "text/stop_strings.hpp"

#include <algorithm>

#include "io/printable.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

// The node behind this byte, or −1.
template <typename Nodes>
int child(const Nodes& nodes, int node, char byte) {
  for (const auto& [label, target] : nodes[node].next)
    if (label == byte) return target;
  return -1;
}

// Where the automaton goes: as far back as needed until the byte fits.
template <typename Nodes>
int step(const Nodes& nodes, int node, char byte) {
  for (;; node = nodes[node].fallback) {
    const int next = child(nodes, node, byte);
    if (next >= 0) return next;
    if (node == 0) return 0;
  }
}

Result<void> check(const std::vector<std::string>& strings) {
  if (strings.size() > StopStrings::kMost)
    return Failure{{.what = "more than " + std::to_string(StopStrings::kMost) + " stop strings",
                    .where = "stop"}};
  for (const std::string& text : strings) {
    if (text.empty()) return Failure{{.what = "an empty stop string", .where = "stop"}};
    if (text.size() > StopStrings::kMostBytes)
      return Failure{{.what = "a stop string of more than " +
                              std::to_string(StopStrings::kMostBytes) + " bytes",
                      .where = "stop"}};
    if (repaired_utf8(text))
      return Failure{
          {.what = "the stop string " + printable(text) + " is not UTF-8", .where = "stop"}};
  }
  return {};
}

}  // namespace

Result<StopStrings> StopStrings::create(const std::vector<std::string>& strings) {
  PONDER_TRY(check(strings));
  StopStrings result;
  if (strings.empty()) return result;
  // Level by level, so that a node's fallback, which is less deep, is finished before it.
  std::vector<Node> nodes(1);
  std::vector<int> reached(strings.size(), 0);
  for (size_t depth = 0; depth < kMostBytes; ++depth) {
    for (size_t i = 0; i < strings.size(); ++i) {
      if (depth >= strings[i].size()) continue;
      const int parent = reached[i];
      const char byte = strings[i][depth];
      reached[i] = child(nodes, parent, byte);
      if (reached[i] < 0) {
        reached[i] = static_cast<int>(nodes.size());
        const int fallback = parent == 0 ? 0 : step(nodes, nodes[parent].fallback, byte);
        const size_t inherited = nodes[fallback].matched;
        nodes.push_back({.fallback = fallback, .depth = depth + 1, .matched = inherited});
        nodes[parent].next.emplace_back(byte, reached[i]);
      }
      if (depth + 1 == strings[i].size()) nodes[reached[i]].matched = depth + 1;
    }
  }
  result.nodes_ = std::make_shared<const std::vector<Node>>(std::move(nodes));
  return result;
}

TracedText StopScanner::push(TracedText text) {
  if (!strings_.nodes_) return text;
  const auto& nodes = *strings_.nodes_;
  size_t at = held_.size();
  held_.append(std::move(text));
  for (; at < held_.size(); ++at) {
    node_ = step(nodes, node_, held_.bytes()[at]);
    const size_t length = nodes[node_].matched;
    if (length == 0) continue;
    matched_ = true;
    TracedText shown = held_.take(at + 1 - length);
    stop_ = held_.take(length);
    return shown;
  }
  return held_.take(held_.size() - nodes[node_].depth);
}

TracedText StopScanner::flush() {
  node_ = 0;
  return held_.take_all();
}

}  // namespace ponder
