// Chained assignments: values that have to be followed from name to name.
#include <algorithm>
#include <numeric>

#include "judge/extract.hpp"
#include "judge/tasks/tasks.hpp"

namespace ponder {
namespace {

constexpr std::string_view kNames = "abcdefghijklmnopqrstuvwxyz";
constexpr int64_t kMostValue = 999;

struct Assignment {
  char name = 0;
  int source = -1;     // index of the assignment whose value this one uses; −1: only `number`
  char op = '+';       // + - *
  int64_t number = 0;  // right side of the operation, or the value itself
  int64_t value = 0;
};

std::string text_of(const std::vector<Assignment>& all, const Assignment& one) {
  if (one.source < 0) return std::string(1, one.name) + "=" + std::to_string(one.number);
  return std::string(1, one.name) + "=" + all[one.source].name + one.op +
         std::to_string(one.number);
}

// Puts an operation into `one` that keeps the value within ±kMostValue.
void draw_operation(Rng& rng, int64_t value, Assignment& one) {
  for (;;) {
    one.op = "+-*"[rng.next_below(3)];
    one.number = 2 + static_cast<int64_t>(rng.next_below(one.op == '*' ? 4 : 18));
    one.value = one.op == '+'   ? value + one.number
                : one.op == '-' ? value - one.number
                                : value * one.number;
    if (std::abs(one.value) <= kMostValue) return;
  }
}

struct Chain {
  std::vector<Assignment> assignments;  // each after its source
  std::vector<int> order;               // in which they are written
  int asked = 0;
};

Chain draw_chain(uint64_t seed, uint64_t index, int level) {
  Rng rng = problem_rng(2, seed, index, level);
  const int count = level + 2;
  std::string names(kNames);
  Chain chain;
  for (int i = 0; i < count; ++i) {
    std::swap(names[i], names[i + rng.next_below(names.size() - i)]);
    Assignment one{.name = names[i]};
    if (i == 0) {
      one.number = one.value = 1 + static_cast<int64_t>(rng.next_below(20));
    } else {
      // Most follow the one before, some branch off: those need not be followed.
      one.source = rng.next_below(4) == 0 ? static_cast<int>(rng.next_below(i)) : i - 1;
      draw_operation(rng, chain.assignments[one.source].value, one);
    }
    chain.assignments.push_back(one);
  }
  chain.asked = count - 1;
  chain.order.resize(count);
  std::iota(chain.order.begin(), chain.order.end(), 0);
  if (level >= 3)
    for (int i = 0; i < count; ++i)
      std::swap(chain.order[i], chain.order[i + rng.next_below(count - i)]);
  return chain;
}

class ChainTask : public Task {
 public:
  std::string_view name() const override { return "chain"; }
  int levels() const override { return 8; }

  Problem make(uint64_t seed, uint64_t index, int level) const override {
    const Chain chain = draw_chain(seed, index, level);
    std::string prompt;
    for (const int i : chain.order)
      prompt += (prompt.empty() ? "" : "; ") + text_of(chain.assignments, chain.assignments[i]);
    const Assignment& asked = chain.assignments[chain.asked];
    return {.id = problem_id(name(), seed, index, level),
            .task = "chain",
            .prompt = prompt + ". What is " + asked.name + "?",
            .answer = std::to_string(asked.value),
            .extra = {{"seed", seed}, {"index", index}},
            .level = level};
  }

  std::string worked(const Problem& problem) const override {
    const Json* seed = find_field(problem.extra, "seed");
    const Json* index = find_field(problem.extra, "index");
    const bool ours = seed != nullptr && index != nullptr && seed->is_number_integer() &&
                      index->is_number_integer() && problem.level >= 0 && problem.level < levels();
    if (!ours) return {};
    const Chain chain = draw_chain(seed->get<uint64_t>(), index->get<uint64_t>(), problem.level);
    std::vector<int> path;  // from what is asked back to a number
    for (int i = chain.asked; i >= 0; i = chain.assignments[i].source) path.push_back(i);
    std::string text;
    for (auto i = path.rbegin(); i != path.rend(); ++i) {
      const Assignment& one = chain.assignments[*i];
      text += (text.empty() ? "" : "; ") + text_of(chain.assignments, one);
      if (one.source < 0) continue;
      text += "=" + std::to_string(chain.assignments[one.source].value) + one.op +
              std::to_string(one.number) + "=" + std::to_string(one.value);
    }
    return text;
  }

  Judgement judge(const Problem& problem, std::string_view text, const Sandbox*) const override {
    return judge_as_maths(problem, text);
  }
};

}  // namespace

std::unique_ptr<const Task> make_chain_task() { return std::make_unique<ChainTask>(); }

}  // namespace ponder
