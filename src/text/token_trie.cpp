#include "text/token_trie.hpp"

namespace ponder {

void TokenTrie::add(std::string_view text, int32_t id) {
  int32_t node = -1;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    const int32_t found = step(node, byte);
    if (found >= 0) {
      node = found;
      continue;
    }
    const auto added = static_cast<int32_t>(nodes_.size());
    nodes_.push_back({.byte = byte});
    if (node < 0) {
      roots_[byte] = added;
    } else {
      nodes_[added].sibling = nodes_[node].child;
      nodes_[node].child = added;
    }
    node = added;
  }
  nodes_[node].id = id;
}

int32_t TokenTrie::step(int32_t node, uint8_t byte) const {
  if (node < 0) return roots_[byte];
  for (int32_t i = nodes_[node].child; i >= 0; i = nodes_[i].sibling)
    if (nodes_[i].byte == byte) return i;
  return -1;
}

TokenTrie::Match TokenTrie::find(std::string_view text, size_t start) const {
  if (nodes_.empty()) return {};
  for (; start < text.size(); ++start) {
    int32_t node = roots_[static_cast<uint8_t>(text[start])];
    Match match;
    for (size_t i = start; node >= 0;) {
      ++i;
      if (nodes_[node].id >= 0) match = {start, i - start, nodes_[node].id};
      node = i < text.size() ? step(node, static_cast<uint8_t>(text[i])) : -1;
    }
    if (match.length != 0) return match;
  }
  return {};
}

}  // namespace ponder
