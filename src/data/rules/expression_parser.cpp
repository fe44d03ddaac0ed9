#include "data/rules/expression_parser.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "data/text/characters.hpp"
#include "io/printable.hpp"

namespace ponder {

struct Expression::Node {
  enum Kind { kNumber, kText, kName, kCall, kUnary, kBinary } kind = kNumber;
  double number = 0;
  std::string text;  // of a text, name, function or operator
  std::vector<std::shared_ptr<const Node>> parts;
};

namespace {

using Node = Expression::Node;
using NodePtr = std::shared_ptr<const Node>;

constexpr int kDeepest = 50;
constexpr size_t kLongest = 10000;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct Function {
  std::string_view name;
  size_t arguments;
};
constexpr Function kFunctions[] = {
    {"contains", 2}, {"starts_with", 2}, {"ends_with", 2}, {"count", 2}, {"length", 1}};

// Operators from the loosest to the tightest.
const std::vector<std::vector<std::string_view>> kLevels = {
    {"||"}, {"&&"}, {"==", "!=", "<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/"}};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<NodePtr> parse() {
    NodePtr root = PONDER_TRY(level(0));
    skip_space();
    if (at_ < text_.size()) return fail("an operator is missing");
    return root;
  }

 private:
  Failure fail(const std::string& what) const {
    return Failure{{.what = what + " at character " + std::to_string(at_ + 1),
                    .where = "expression " + printable(text_)}};
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t'))
      ++at_;
  }

  bool take(std::string_view sign) {
    skip_space();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }

  Result<NodePtr> level(size_t depth) {
    if (depth == kLevels.size()) return unary();
    NodePtr left = PONDER_TRY(level(depth + 1));
    for (bool more = true; more;) {
      more = false;
      for (const std::string_view sign : kLevels[depth]) {
        if (!take(sign)) continue;
        NodePtr right = PONDER_TRY(level(depth + 1));
        left = std::make_shared<Node>(Node{Node::kBinary, 0, std::string(sign), {left, right}});
        more = true;
        break;
      }
    }
    return left;
  }

  Result<NodePtr> unary() {
    if (++depth_ > kDeepest) return fail("too deeply nested");
    NodePtr node = PONDER_TRY(operand());
    --depth_;
    return node;
  }

  Result<NodePtr> operand() {
    if (take("!"))
      return NodePtr(std::make_shared<Node>(Node{Node::kUnary, 0, "!", {PONDER_TRY(unary())}}));
    if (take("-"))
      return NodePtr(std::make_shared<Node>(Node{Node::kUnary, 0, "-", {PONDER_TRY(unary())}}));
    if (take("(")) {
      NodePtr inner = PONDER_TRY(level(0));
      if (!take(")")) return fail("a ) is missing");
      return inner;
    }
    skip_space();
    if (at_ == text_.size()) return fail("a value is missing");
    const char c = text_[at_];
    if (c == '"' || c == '\'') return quoted(c);
    if ((c >= '0' && c <= '9') || c == '.') return number();
    return name();
  }

  Result<NodePtr> quoted(char mark) {
    const size_t end = text_.find(mark, at_ + 1);
    if (end == text_.npos) return fail("the text does not end");
    std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return NodePtr(std::make_shared<Node>(Node{Node::kText, 0, std::move(value), {}}));
  }

  Result<NodePtr> number() {
    double value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc()) return fail("no number");
    at_ += static_cast<size_t>(end - begin);
    return NodePtr(std::make_shared<Node>(Node{Node::kNumber, value, {}, {}}));
  }

  Result<NodePtr> name() {
    const size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<uint8_t>(text_[at_])) ||
                                  text_[at_] == '_' || text_[at_] == '.'))
      ++at_;
    if (at_ == begin) return fail("a value is missing");
    std::string word(text_.substr(begin, at_ - begin));
    if (!take("(")) return NodePtr(std::make_shared<Node>(Node{Node::kName, 0, word, {}}));
    const auto* function = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                        [&](const Function& f) { return f.name == word; });
    if (function == std::end(kFunctions)) return fail("there is no function " + printable(word));
    Node call{Node::kCall, 0, word, {}};
    for (size_t i = 0; i < function->arguments; ++i) {
      if (i > 0 && !take(",")) return fail("an argument is missing");
      call.parts.push_back(PONDER_TRY(level(0)));
    }
    if (!take(")")) return fail("a ) is missing");
    return NodePtr(std::make_shared<Node>(std::move(call)));
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

double number_of(const ExpressionValue& value) {
  const double* number = std::get_if<double>(&value);
  return number == nullptr ? kNone : *number;
}

const std::string& text_of(const ExpressionValue& value) {
  static const std::string kEmpty;
  const std::string* text = std::get_if<std::string>(&value);
  return text == nullptr ? kEmpty : *text;
}

bool truth(const ExpressionValue& value) {
  if (const double* number = std::get_if<double>(&value))
    return *number != 0 && !std::isnan(*number);
  return !text_of(value).empty();
}

ExpressionValue evaluate(const Node& node, const ExpressionNames& names);

double call(const Node& node, const ExpressionNames& names) {
  const ExpressionValue first = evaluate(*node.parts[0], names);
  const std::string& text = text_of(first);
  if (node.text == "length") return static_cast<double>(count_chars(text));
  const ExpressionValue second = evaluate(*node.parts[1], names);
  const std::string& part = text_of(second);
  if (node.text == "contains") return text.find(part) != text.npos;
  if (node.text == "starts_with") return text.starts_with(part);
  if (node.text == "ends_with") return text.ends_with(part);
  return part.empty() ? 0 : static_cast<double>(count_of(text, part));
}

double binary(const Node& node, const ExpressionNames& names) {
  const std::string& sign = node.text;
  const ExpressionValue left = evaluate(*node.parts[0], names);
  if (sign == "&&") return truth(left) && truth(evaluate(*node.parts[1], names));
  if (sign == "||") return truth(left) || truth(evaluate(*node.parts[1], names));
  const ExpressionValue right = evaluate(*node.parts[1], names);
  if (sign == "==") return left == right;
  if (sign == "!=") return left != right;
  if (std::holds_alternative<std::string>(left) && std::holds_alternative<std::string>(right)) {
    const int order = text_of(left).compare(text_of(right));
    if (sign == "<") return order < 0;
    if (sign == "<=") return order <= 0;
    if (sign == ">") return order > 0;
    if (sign == ">=") return order >= 0;
    return kNone;
  }
  const double a = number_of(left), b = number_of(right);
  if (sign == "<") return a < b;
  if (sign == "<=") return a <= b;
  if (sign == ">") return a > b;
  if (sign == ">=") return a >= b;
  if (sign == "+") return a + b;
  if (sign == "-") return a - b;
  return sign == "*" ? a * b : a / b;
}

ExpressionValue evaluate(const Node& node, const ExpressionNames& names) {
  if (node.kind == Node::kNumber) return node.number;
  if (node.kind == Node::kText) return node.text;
  if (node.kind == Node::kName) return names(node.text);
  if (node.kind == Node::kCall) return call(node, names);
  if (node.kind == Node::kBinary) return binary(node, names);
  const ExpressionValue value = evaluate(*node.parts[0], names);
  return node.text == "!" ? (truth(value) ? 0.0 : 1.0) : -number_of(value);
}

}  // namespace

Result<Expression> Expression::parse(std::string_view text) {
  if (text.size() > kLongest)
    return Failure{{.what = "the expression is too long", .where = "expression"}};
  Expression expression;
  expression.root_ = PONDER_TRY(Parser(text).parse());
  return expression;
}

bool Expression::is_true(const ExpressionNames& names) const {
  return truth(evaluate(*root_, names));
}

}  // namespace ponder
