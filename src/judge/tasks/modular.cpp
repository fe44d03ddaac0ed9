// Arithmetic modulo 10: the task that the smallest models can learn to think about.
#include "judge/extract.hpp"
#include "judge/tasks/tasks.hpp"
#include "judge/tasks/tree.hpp"

namespace ponder {
namespace {

constexpr int64_t kModulus = 10;

// The expression after each step, joined by =: (0+(5-8))*3=(0+7)*3=7*3=1.
std::string steps(ArithmeticTree tree) {
  std::string text = tree.text();
  while (tree.reduce(kModulus)) text += "=" + tree.text();
  return text;
}

class ModularTask : public Task {
 public:
  std::string_view name() const override { return "modular"; }
  int levels() const override { return 8; }

  Problem make(uint64_t seed, uint64_t index, int level) const override {
    Rng rng = problem_rng(4, seed, index, level);
    ArithmeticTree tree = random_tree(rng, level + 1, "+-*", 9);
    Problem problem{.id = problem_id(name(), seed, index, level),
                    .task = "modular",
                    .prompt = tree.text(),
                    .answer = {},
                    .extra = Json::object(),
                    .level = level};
    while (tree.reduce(kModulus)) {
    }
    problem.answer = tree.text();
    return problem;
  }

  std::string worked(const Problem& problem) const override {
    const auto tree = ArithmeticTree::parse(problem.prompt);
    return tree ? steps(*tree) : "";
  }

  Judgement judge(const Problem& problem, std::string_view text, const Sandbox*) const override {
    const ExtractedAnswer answer = extract_answer(text);
    if (!answer.found()) return no_answer(answer.unfinished);
    if (answer.text == problem.answer) return {Verdict::kPass, answer.text, ""};
    return {Verdict::kWrong, answer.text, "the answer is " + problem.answer};
  }
};

}  // namespace

std::unique_ptr<const Task> make_modular_task() { return std::make_unique<ModularTask>(); }

}  // namespace ponder
