// Arithmetic expressions over small whole numbers: made at random, written, read, reduced step by
// step. For the generated tasks; answers in mathematical notation go to judge/maths.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.hpp"

namespace ponder {

// A fraction in lowest terms, denominator > 0.
struct SmallFraction {
  int64_t top = 0, bottom = 1;
  bool operator==(const SmallFraction&) const = default;
};
// Nothing if it does not fit in 64 bits, and for a division by zero.
std::optional<SmallFraction> combine(char op, SmallFraction a, SmallFraction b);

struct TreeNode {
  char op = 0;  // + - * /; 0: a number
  int64_t number = 0;
  int left = -1, right = -1;  // nodes before this one; left −1 with '-': a sign
};

class ArithmeticTree {
 public:
  // Reads numbers, + - * / and brackets, with the usual order of operations; × · ÷ − too, and : for
  // a division. Nothing on anything else, more than 1000 bytes, or brackets deeper than 50.
  static std::optional<ArithmeticTree> parse(std::string_view text);

  int add_number(int64_t number);
  int add(char op, int left, int right);
  int root() const { return static_cast<int>(nodes_.size()) - 1; }
  const TreeNode& node(int index) const { return nodes_[index]; }
  std::vector<int64_t> numbers() const;  // the leaves of an unreduced tree, from left to right

  // Brackets around every operation but the outermost: (0+(5-8))*3.
  std::string text() const { return text_of(root(), true); }
  std::optional<SmallFraction> value() const { return value_of(root()); }

  // Replaces the first operation whose sides are numbers by `modulus` > 0: its result modulo that,
  // 0: its result, which must be whole. False if there is none left. What was done is in `step`:
  // "5-8=7".
  bool reduce(int64_t modulus, std::string* step = nullptr);

 private:
  std::string text_of(int index, bool outermost) const;
  std::optional<SmallFraction> value_of(int index) const;

  std::vector<TreeNode> nodes_;  // the last is the root
};

// A random tree with `operations` operations out of `ops`, and leaves from 0 to `most_leaf`.
ArithmeticTree random_tree(Rng& rng, int operations, std::string_view ops, int64_t most_leaf);

}  // namespace ponder
