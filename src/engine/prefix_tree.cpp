#include "engine/prefix_tree.hpp"

#include <algorithm>
#include <utility>

namespace ponder {
namespace {

std::span<const int32_t> first_page(std::span<const int32_t> tokens) {
  return tokens.first(std::min(tokens.size(), static_cast<size_t>(kKvPage)));
}

int64_t common_length(std::span<const int32_t> a, std::span<const int32_t> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

}  // namespace

PrefixTree::~PrefixTree() {
  for (const Node& node : nodes_)
    if (node.page >= 0) pool_->give_back(node.page);
}

PrefixTree::Step PrefixTree::descend(int32_t parent, std::span<const int32_t> tokens) const {
  Step best;
  for (const int32_t child : nodes_[static_cast<size_t>(parent)].children) {
    const int64_t common = common_length(nodes_[static_cast<size_t>(child)].tokens, tokens);
    if (common > best.common) best = {child, common};
  }
  return best;
}

PrefixTree::Match PrefixTree::find(std::span<const int32_t> tokens) {
  Match match;
  ++clock_;
  int32_t at = 0;
  while (!tokens.empty()) {
    const Step step = descend(at, tokens);
    if (step.common == 0) break;
    at = step.child;
    node(at).used = clock_;
    match.pages.push_back(node(at).page);
    match.length += step.common;
    if (step.common < kKvPage) break;
    tokens = tokens.subspan(static_cast<size_t>(kKvPage));
  }
  return match;
}

void PrefixTree::insert(std::span<const int32_t> tokens, std::span<const int32_t> pages) {
  ++clock_;
  int32_t at = 0;
  for (const int32_t page : pages) {
    const auto held = first_page(tokens);
    if (held.empty()) return;
    const Step step = descend(at, held);
    const bool longer = step.child >= 0 && step.common == std::ssize(node(step.child).tokens);
    const bool known = step.common == std::ssize(held);
    if (known || longer) {
      at = step.child;
    } else {
      at = add(at);
    }
    if (!known) hold(node(at), held, page);
    node(at).used = clock_;
    if (std::ssize(held) < kKvPage) return;
    tokens = tokens.subspan(held.size());
  }
}

void PrefixTree::hold(Node& node, std::span<const int32_t> tokens, int32_t page) {
  pool_->share(page);
  if (const int32_t old = std::exchange(node.page, page); old >= 0) {
    pool_->give_back(old);
  } else {
    ++pages_;
  }
  node.tokens.assign(tokens.begin(), tokens.end());
}

int32_t PrefixTree::add(int32_t parent) {
  int32_t index = static_cast<int32_t>(nodes_.size());
  if (unused_.empty()) {
    nodes_.emplace_back();
  } else {
    index = unused_.back();
    unused_.pop_back();
  }
  node(index).parent = parent;
  node(parent).children.push_back(index);
  return index;
}

void PrefixTree::remove(int32_t leaf) {
  std::erase(node(node(leaf).parent).children, leaf);
  pool_->give_back(node(leaf).page);
  --pages_;
  node(leaf) = {};
  unused_.push_back(leaf);
}

int64_t PrefixTree::evict(int64_t count) {
  int64_t freed = 0;
  while (freed < count) {
    std::vector<std::pair<uint64_t, int32_t>> leaves;  // when used, node
    for (size_t i = 1; i < nodes_.size(); ++i) {
      const Node& candidate = nodes_[i];
      if (candidate.page >= 0 && candidate.children.empty() && pool_->owners(candidate.page) == 1)
        leaves.emplace_back(candidate.used, static_cast<int32_t>(i));
    }
    if (leaves.empty()) return freed;
    // A parent was used no earlier than its children, so it can only come up after them.
    std::sort(leaves.begin(), leaves.end());
    const int64_t most = std::min(count - freed, std::max<int64_t>(std::ssize(leaves) / 2, 1));
    for (int64_t i = 0; i < most; ++i) remove(leaves[static_cast<size_t>(i)].second);
    freed += most;
  }
  return freed;
}

int64_t PrefixTree::unshared_pages() const {
  return std::count_if(nodes_.begin(), nodes_.end(), [&](const Node& node) {
    return node.page >= 0 && pool_->owners(node.page) == 1;
  });
}

}  // namespace ponder
