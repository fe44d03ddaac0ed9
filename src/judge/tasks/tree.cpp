#include "judge/tasks/tree.hpp"

#include <limits>
#include <numeric>

#include "base/check.hpp"
#include "base/macros.hpp"

namespace ponder {
namespace {

constexpr size_t kMostBytes = 1000;
constexpr int kMostDepth = 50;
constexpr int64_t kMostNumber = 1'000'000'000'000;

using Wide = __int128;

Wide wide_gcd(Wide a, Wide b) {
  if (a < 0) a = -a;
  while (b != 0) {
    const Wide rest = a % b;
    a = b, b = rest;
  }
  return a;
}

std::optional<SmallFraction> narrowed(Wide top, Wide bottom) {
  if (bottom == 0) return std::nullopt;
  if (bottom < 0) top = -top, bottom = -bottom;
  const Wide divisor = wide_gcd(bottom, top < 0 ? -top : top);
  top /= divisor, bottom /= divisor;
  constexpr Wide kMost = std::numeric_limits<int64_t>::max();
  if (top > kMost || top < -kMost || bottom > kMost) return std::nullopt;
  return SmallFraction{static_cast<int64_t>(top), static_cast<int64_t>(bottom)};
}

int64_t modulo(int64_t value, int64_t modulus) {
  const int64_t rest = value % modulus;
  return rest < 0 ? rest + modulus : rest;
}

}  // namespace

std::optional<SmallFraction> combine(char op, SmallFraction a, SmallFraction b) {
  const Wide at = a.top, ab = a.bottom, bt = b.top, bb = b.bottom;
  Wide left, right;
  switch (op) {
    case '*':
      return narrowed(at * bt, ab * bb);
    case '/':
      return narrowed(at * bb, ab * bt);
    default:
      if (__builtin_mul_overflow(at, bb, &left) || __builtin_mul_overflow(bt, ab, &right) ||
          __builtin_add_overflow(left, op == '+' ? right : -right, &left))
        return std::nullopt;
      return narrowed(left, ab * bb);
  }
}

namespace {

// Reads what ArithmeticTree::parse() takes. Depth counts brackets and signs.
class TreeReader {
 public:
  explicit TreeReader(std::string_view text) : text_(text) {}

  std::optional<ArithmeticTree> read() {
    if (sum(0) < 0) return std::nullopt;
    skip_spaces();
    if (!text_.empty()) return std::nullopt;
    return std::move(tree_);
  }

 private:
  void skip_spaces() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\t')) text_.remove_prefix(1);
  }

  bool take(std::string_view mark) {
    if (text_.substr(0, mark.size()) != mark) return false;
    text_.remove_prefix(mark.size());
    return true;
  }

  // The operation that comes next, if it is one of `ops`.
  char operation(std::string_view ops) {
    struct Spelling {
      std::string_view text;
      char op;
    };
    constexpr Spelling kSpellings[] = {{"+", '+'}, {"-", '-'}, {"−", '-'}, {"*", '*'}, {"×", '*'},
                                       {"·", '*'}, {"/", '/'}, {"÷", '/'}, {":", '/'}};
    skip_spaces();
    for (const Spelling& spelling : kSpellings)
      if (ops.find(spelling.op) != std::string_view::npos && take(spelling.text))
        return spelling.op;
    return 0;
  }

  // Each gives a node, or −1.
  int sum(int depth) {
    int left = product(depth);
    while (left >= 0) {
      const char op = operation("+-");
      if (op == 0) break;
      left = joined(op, left, product(depth));
    }
    return left;
  }

  int product(int depth) {
    int left = signed_value(depth);
    while (left >= 0) {
      const char op = operation("*/");
      if (op == 0) break;
      left = joined(op, left, signed_value(depth));
    }
    return left;
  }

  int signed_value(int depth) {
    const char sign = operation("-");
    const int found = value(depth);
    if (sign == 0 || found < 0) return found;
    return tree_.add('-', -1, found);
  }

  int value(int depth) {
    skip_spaces();
    if (take("(")) {
      if (depth >= kMostDepth) return -1;
      const int inner = sum(depth + 1);
      skip_spaces();
      return take(")") ? inner : -1;
    }
    int64_t number = -1;
    while (!text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
      number = 10 * (number < 0 ? 0 : number) + (text_[0] - '0');
      if (number > kMostNumber) return -1;
      text_.remove_prefix(1);
    }
    return number < 0 ? -1 : tree_.add_number(number);
  }

  int joined(char op, int left, int right) { return right < 0 ? -1 : tree_.add(op, left, right); }

  std::string_view text_;
  ArithmeticTree tree_;
};

int grow(ArithmeticTree& tree, Rng& rng, int operations, std::string_view ops, int64_t most_leaf) {
  if (operations == 0) return tree.add_number(static_cast<int64_t>(rng.next_below(most_leaf + 1)));
  const int left_share = static_cast<int>(rng.next_below(operations));
  const char op = ops[rng.next_below(ops.size())];
  const int left = grow(tree, rng, left_share, ops, most_leaf);
  const int right = grow(tree, rng, operations - 1 - left_share, ops, most_leaf);
  return tree.add(op, left, right);
}

}  // namespace

std::optional<ArithmeticTree> ArithmeticTree::parse(std::string_view text) {
  if (text.size() > kMostBytes) return std::nullopt;
  return TreeReader(text).read();
}

int ArithmeticTree::add_number(int64_t number) {
  nodes_.push_back({0, number, -1, -1});
  return root();
}

int ArithmeticTree::add(char op, int left, int right) {
  PONDER_CHECK(left >= (op == '-' ? -1 : 0) && right >= 0 && left <= root() && right <= root());
  nodes_.push_back({op, 0, left, right});
  return root();
}

std::vector<int64_t> ArithmeticTree::numbers() const {
  std::vector<int64_t> found;
  for (const TreeNode& node : nodes_)
    if (node.op == 0) found.push_back(node.number);
  return found;
}

std::string ArithmeticTree::text_of(int index, bool outermost) const {
  const TreeNode& node = nodes_[index];
  if (node.op == 0) return std::to_string(node.number);
  const std::string left = node.left < 0 ? "" : text_of(node.left, false);
  const std::string inner = left + node.op + text_of(node.right, false);
  return outermost ? inner : "(" + inner + ")";
}

std::optional<SmallFraction> ArithmeticTree::value_of(int index) const {
  const TreeNode& node = nodes_[index];
  if (node.op == 0) return SmallFraction{node.number, 1};
  const auto left = node.left < 0 ? SmallFraction{} : value_of(node.left);
  const auto right = left ? value_of(node.right) : std::nullopt;
  return right ? combine(node.op, *left, *right) : std::nullopt;
}

bool ArithmeticTree::reduce(int64_t modulus, std::string* step) {
  // Nodes stand in the order in which their last bracket closes, so the first is the leftmost.
  for (TreeNode& node : nodes_) {
    if (node.op == 0 || nodes_[node.right].op != 0) continue;
    if (node.left >= 0 && nodes_[node.left].op != 0) continue;
    const int64_t left = node.left < 0 ? 0 : nodes_[node.left].number;
    const int64_t right = nodes_[node.right].number;
    const auto result = combine(node.op, {left, 1}, {right, 1});
    PONDER_CHECK(result && result->bottom == 1);
    const int64_t number = modulus > 0 ? modulo(result->top, modulus) : result->top;
    if (step != nullptr)
      *step = std::to_string(left) + node.op + std::to_string(right) + "=" + std::to_string(number);
    node = {0, number, -1, -1};
    return true;
  }
  return false;
}

ArithmeticTree random_tree(Rng& rng, int operations, std::string_view ops, int64_t most_leaf) {
  ArithmeticTree tree;
  grow(tree, rng, operations, ops, most_leaf);
  return tree;
}

}  // namespace ponder
