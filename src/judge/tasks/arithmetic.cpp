// Whole numbers, from sums of one digit to short stories.
#include "judge/extract.hpp"
#include "judge/tasks/tasks.hpp"
#include "judge/tasks/tree.hpp"

namespace ponder {
namespace {

constexpr int kBrackets = 6, kStories = 7;

int64_t between(Rng& rng, int64_t least, int64_t most) {
  return least + static_cast<int64_t>(rng.next_below(static_cast<uint64_t>(most - least + 1)));
}

// One operation, levels 0 to 5.
ArithmeticTree draw_operation(Rng& rng, int level) {
  int64_t left, right;
  char op;
  if (level <= 2) {
    const int64_t most = level == 0 ? 9 : level == 1 ? 99 : 999;
    op = "+-"[rng.next_below(2)];
    left = between(rng, 0, most), right = between(rng, 0, most);
  } else if (level <= 4) {
    op = '*';
    left = between(rng, 11, 99), right = level == 3 ? between(rng, 2, 9) : between(rng, 11, 99);
  } else {
    op = '/';
    right = between(rng, 2, 12);
    left = right * between(rng, 2, 99);
  }
  ArithmeticTree tree;
  const int first = tree.add_number(left), second = tree.add_number(right);
  tree.add(op, first, second);
  return tree;
}

struct Story {
  std::string text;
  std::string expression;
};

Story draw_story(Rng& rng) {
  constexpr std::string_view kWho[] = {"Ada",  "Ben",    "Chen",  "Dana",
                                       "Emil", "Fatima", "Goran", "Hana"};
  constexpr std::string_view kWhat[] = {"apples", "books", "coins", "stamps", "shells", "cards"};
  const std::string who(kWho[rng.next_below(std::size(kWho))]);
  const std::string what(kWhat[rng.next_below(std::size(kWhat))]);
  const int64_t a = between(rng, 12, 60), b = between(rng, 2, 40), c = between(rng, 2, 9);
  const std::string A = std::to_string(a), B = std::to_string(b), C = std::to_string(c);
  switch (rng.next_below(5)) {
    case 0:
      return {who + " has " + A + " " + what + ", finds " + B + " more and gives " + C +
                  " away. How many " + what + " are left?",
              "(" + A + "+" + B + ")-" + C};
    case 1:
      return {who + " has " + C + " boxes with " + B + " " + what + " in each, and " + A +
                  " more. How many " + what + " are that?",
              "(" + C + "*" + B + ")+" + A};
    case 2:
      return {who + " shares " + std::to_string(b * c) + " " + what + " equally among " + C +
                  " friends. One of them already had " + A + ". How many " + what +
                  " does that friend have now?",
              "(" + std::to_string(b * c) + "/" + C + ")+" + A};
    case 3:
      return {"A shelf holds " + A + " " + what + ". " + who + " fills " + C +
                  " such shelves and then adds " + B + ". How many " + what + " are there?",
              "(" + A + "*" + C + ")+" + B};
    default:
      return {who + " had some " + what + ", got " + B + " more and then had " +
                  std::to_string(a + b) + ". " + C +
                  " were lost later, all of them from the first ones. How many of the first " +
                  what + " are left?",
              "(" + std::to_string(a + b) + "-" + B + ")-" + C};
  }
}

class ArithmeticTask : public Task {
 public:
  std::string_view name() const override { return "arithmetic"; }
  int levels() const override { return 8; }

  Problem make(uint64_t seed, uint64_t index, int level) const override {
    Rng rng = problem_rng(1, seed, index, level);
    Problem problem{.id = problem_id(name(), seed, index, level),
                    .task = "arithmetic",
                    .prompt = {},
                    .answer = {},
                    .extra = Json::object(),
                    .level = level};
    std::string expression;
    if (level == kStories) {
      const Story story = draw_story(rng);
      problem.prompt = story.text;
      expression = story.expression;
    } else {
      expression =
          (level == kBrackets ? random_tree(rng, 2, "+-*", 20) : draw_operation(rng, level)).text();
      problem.prompt = "What is " + expression + "?";
    }
    problem.extra = {{"expression", expression}};
    problem.answer = std::to_string(ArithmeticTree::parse(expression)->value()->top);
    return problem;
  }

  std::string worked(const Problem& problem) const override {
    const Json* expression = find_field(problem.extra, "expression");
    if (expression == nullptr || !expression->is_string()) return {};
    auto tree = ArithmeticTree::parse(expression->get<std::string>());
    if (!tree) return {};
    std::string text, step;
    for (ArithmeticTree rest = *tree; rest.reduce(0, &step);) {
      const std::string by_place = places(step);
      text += (text.empty() ? "" : "; ") + (by_place.empty() ? step : by_place);
    }
    return text;
  }

  Judgement judge(const Problem& problem, std::string_view text, const Sandbox*) const override {
    return judge_as_maths(problem, text);
  }

 private:
  // 37*48=1776 as 37*40=1480, 37*8=296, 1480+296=1776; empty where one step will do.
  static std::string places(const std::string& step) {
    const std::string operation = step.substr(0, step.find('='));
    const size_t at = operation.find_first_of("+-*/");
    if (at == 0 || operation.find('-', at + 1) != std::string::npos) return {};  // a negative side
    const auto tree = ArithmeticTree::parse(operation);
    if (!tree) return {};
    const int64_t left = tree->numbers()[0], right = tree->numbers()[1];
    const char op = tree->node(tree->root()).op;
    const int64_t tens = right / 10 * 10, units = right % 10;
    if (op == '/' || tens == 0 || units == 0 || left < 10) return {};
    const auto apply = [&](char with, int64_t a, int64_t b) {
      return combine(with, {a, 1}, {b, 1})->top;
    };
    const auto line = [&](char with, int64_t a, int64_t b) {
      return std::to_string(a) + with + std::to_string(b) + "=" + std::to_string(apply(with, a, b));
    };
    const int64_t first = apply(op, left, tens);
    if (op != '*') return line(op, left, tens) + ", " + line(op, first, units);
    return line(op, left, tens) + ", " + line(op, left, units) + ", " +
           line('+', first, apply(op, left, units));
  }
};

}  // namespace

std::unique_ptr<const Task> make_arithmetic_task() { return std::make_unique<ArithmeticTask>(); }

}  // namespace ponder
