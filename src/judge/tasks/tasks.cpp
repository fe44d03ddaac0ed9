#include "judge/tasks/tasks.hpp"

#include "base/check.hpp"
#include "base/macros.hpp"

namespace ponder {
namespace {

const std::vector<std::unique_ptr<const Task>>& all_tasks() {
  static const auto made = [] {
    std::vector<std::unique_ptr<const Task>> tasks;
    tasks.push_back(make_arithmetic_task());
    tasks.push_back(make_chain_task());
    tasks.push_back(make_countdown_task());
    tasks.push_back(make_modular_task());
    tasks.push_back(make_code_task());
    tasks.push_back(make_maths_task());
    tasks.push_back(make_choice_task());
    return tasks;
  }();
  return made;
}

}  // namespace

Problem Task::make(uint64_t, uint64_t, int) const {
  PONDER_CHECK(levels() > 0);
  return {};
}

const Task* find_task(std::string_view name) {
  for (const auto& task : all_tasks())
    if (task->name() == name) return task.get();
  return nullptr;
}

std::vector<std::string_view> task_names() {
  std::vector<std::string_view> names;
  for (const auto& task : all_tasks()) names.push_back(task->name());
  return names;
}

std::string problem_id(std::string_view task, uint64_t seed, uint64_t index, int level) {
  return std::string(task) + "-" + std::to_string(level) + "-" + std::to_string(seed) + "-" +
         std::to_string(index);
}

Judgement no_answer(bool unfinished) {
  return {Verdict::kNoAnswer, "",
          unfinished ? "the text breaks off before an answer" : "no answer found"};
}

}  // namespace ponder
