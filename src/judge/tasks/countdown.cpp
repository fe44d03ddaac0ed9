// Countdown: reach a number from given ones.
#include <algorithm>

#include "judge/extract.hpp"
#include "judge/tasks/tasks.hpp"
#include "judge/tasks/tree.hpp"

namespace ponder {
namespace {

constexpr int64_t kMostTarget = 999;

std::vector<int64_t> numbers_of(const Problem& problem) {
  std::vector<int64_t> numbers;
  if (const Json* list = find_field(problem.extra, "numbers"); list != nullptr && list->is_array())
    for (const Json& number : *list)
      if (number.is_number_integer()) numbers.push_back(number.get<int64_t>());
  return numbers;
}

// An expression over the numbers, all of them used, that has a whole value of 1 to kMostTarget and
// no step that is negative or a fraction. Nothing if the draws lead elsewhere.
std::optional<ArithmeticTree> draw_solution(Rng& rng, const std::vector<int64_t>& numbers) {
  struct Part {
    int node;
    int64_t value;
  };
  ArithmeticTree tree;
  std::vector<Part> parts;
  for (const int64_t number : numbers) parts.push_back({tree.add_number(number), number});
  const auto take = [&] {
    const size_t chosen = rng.next_below(parts.size());
    const Part part = parts[chosen];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(chosen));
    return part;
  };
  while (parts.size() > 1) {
    const char op = "+-*/"[rng.next_below(4)];
    Part left = take(), right = take();
    if (left.value < right.value) std::swap(left, right);
    const auto value = combine(op, {left.value, 1}, {right.value, 1});
    if (!value || value->bottom != 1 || value->top < 1 || value->top > kMostTarget)
      return std::nullopt;
    parts.push_back({tree.add(op, left.node, right.node), value->top});
  }
  return tree;
}

class CountdownTask : public Task {
 public:
  std::string_view name() const override { return "countdown"; }
  int levels() const override { return 4; }

  Problem make(uint64_t seed, uint64_t index, int level) const override {
    Rng rng = problem_rng(3, seed, index, level);
    std::vector<int64_t> numbers;
    std::optional<ArithmeticTree> solution;
    while (!solution) {  // an attempt succeeds about once in ten
      numbers.clear();
      for (int i = 0; i < level + 3; ++i)
        numbers.push_back(1 + static_cast<int64_t>(rng.next_below(i == 0 ? 99 : 25)));
      solution = draw_solution(rng, numbers);
    }
    std::sort(numbers.begin(), numbers.end());
    const int64_t target = solution->value()->top;
    std::string list;
    for (const int64_t number : numbers)
      list += (list.empty() ? "" : ", ") + std::to_string(number);
    return {.id = problem_id(name(), seed, index, level),
            .task = "countdown",
            .prompt = "Use the numbers " + list +
                      ", each at most once, with + - * / and brackets to make " +
                      std::to_string(target) + ". Answer with the expression.",
            .answer = solution->text(),
            .extra = {{"numbers", numbers}, {"target", target}},
            .level = level};
  }

  std::string worked(const Problem& problem) const override {
    auto tree = ArithmeticTree::parse(problem.answer);
    if (!tree || !tree->value()) return {};
    std::string text, step;
    while (tree->reduce(0, &step)) text += (text.empty() ? "" : ", ") + step;
    return text + ". So " + problem.answer + ".";
  }

  Judgement judge(const Problem& problem, std::string_view text, const Sandbox*) const override {
    const ExtractedAnswer answer = extract_answer(text);
    if (!answer.found()) return no_answer(answer.unfinished);
    const std::string why = objection(problem, answer.text);
    return {why.empty() ? Verdict::kPass : Verdict::kWrong, answer.text, why};
  }

 private:
  // What is wrong with an answer; empty if nothing is. "3*(4+5) = 27" will do, if 27 is right.
  static std::string objection(const Problem& problem, std::string_view answer) {
    std::string plain = plain_text(answer);
    const size_t equals = plain.rfind('=');
    const Json* target = find_field(problem.extra, "target");
    const int64_t wanted =
        target != nullptr && target->is_number_integer() ? target->get<int64_t>() : 0;
    if (equals != std::string::npos) {
      const auto right = ArithmeticTree::parse(plain.substr(equals + 1));
      if (!right || right->value() != SmallFraction{wanted, 1})
        return "what is behind = is not the number to reach";
      plain.resize(equals);
    }
    const auto tree = ArithmeticTree::parse(plain);
    if (!tree) return "not an expression of numbers, + - * / and brackets";
    std::vector<int64_t> left = numbers_of(problem);
    for (const int64_t number : tree->numbers()) {
      const auto found = std::find(left.begin(), left.end(), number);
      if (found == left.end()) return std::to_string(number) + " is not there, or used twice";
      left.erase(found);
    }
    const auto value = tree->value();
    if (!value) return "divides by zero";
    if (*value == SmallFraction{wanted, 1}) return {};
    return "has the value " + std::to_string(value->top) +
           (value->bottom == 1 ? "" : "/" + std::to_string(value->bottom));
  }

  // \times, \cdot, \div and \left( as plain characters, without $.
  static std::string plain_text(std::string_view answer) {
    struct Spelling {
      std::string_view latex;
      std::string_view plain;
    };
    constexpr Spelling kSpellings[] = {{"\\times", "*"}, {"\\cdot", "*"}, {"\\div", "/"},
                                       {"\\left", ""},   {"\\right", ""}, {"\\(", ""},
                                       {"\\)", ""},      {"$", ""}};
    std::string plain;
    while (!answer.empty()) {
      const auto* found = std::find_if(
          std::begin(kSpellings), std::end(kSpellings),
          [&](const Spelling& spelling) { return answer.starts_with(spelling.latex); });
      if (found == std::end(kSpellings)) {
        plain += answer[0];
        answer.remove_prefix(1);
      } else {
        plain += found->plain;
        answer.remove_prefix(found->latex.size());
      }
    }
    return plain;
  }
};

}  // namespace

std::unique_ptr<const Task> make_countdown_task() { return std::make_unique<CountdownTask>(); }

}  // namespace ponder
