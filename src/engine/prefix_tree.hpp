// What the cache still knows of sequences that went before: a radix tree on token ids, one page an
// edge. Sequences that begin alike share the pages of their beginning.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/kv_pool.hpp"

namespace ponder {

class PrefixTree {
 public:
  explicit PrefixTree(std::shared_ptr<KvPool> pool) : pool_(std::move(pool)), nodes_(1) {}
  PrefixTree(const PrefixTree&) = delete;
  PrefixTree& operator=(const PrefixTree&) = delete;
  ~PrefixTree();  // gives all pages back

  struct Match {
    std::vector<int32_t> pages;  // that hold the first `length` tokens; still the tree's
    int64_t length = 0;
  };
  // The longest beginning of `tokens` that is known. It counts as used now.
  Match find(std::span<const int32_t> tokens);

  // `pages`, of a sequence that begins with `tokens`, hold these. What is new is kept.
  void insert(std::span<const int32_t> tokens, std::span<const int32_t> pages);

  // Frees up to `count` pages that nobody else has, those first that were used longest ago.
  // Returns how many.
  int64_t evict(int64_t count);

  int64_t pages() const { return pages_; }
  int64_t unshared_pages() const;  // that only the tree has: what evict() could free

 private:
  // Tokens whose keys and values a page holds, after those of the parent. Only leaves have fewer
  // than kKvPage.
  struct Node {
    std::vector<int32_t> tokens;
    std::vector<int32_t> children;
    int32_t parent = -1;
    int32_t page = -1;  // −1: the root, or not in use
    uint64_t used = 0;  // when, by clock_
  };
  struct Step {
    int32_t child = -1;  // −1: none begins with the first token
    int64_t common = 0;  // tokens
  };

  Node& node(int32_t index) { return nodes_[static_cast<size_t>(index)]; }
  // The child that agrees with `tokens` for longest.
  Step descend(int32_t parent, std::span<const int32_t> tokens) const;
  void hold(Node& node, std::span<const int32_t> tokens, int32_t page);
  int32_t add(int32_t parent);
  void remove(int32_t leaf);

  std::shared_ptr<KvPool> pool_;
  std::vector<Node> nodes_;      // the first is the root
  std::vector<int32_t> unused_;  // nodes
  int64_t pages_ = 0;
  uint64_t clock_ = 0;
};

}  // namespace ponder
