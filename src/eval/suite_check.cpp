#include "eval/suite_check.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "base/thread_pool.hpp"

namespace ponder {
namespace {

std::string as_answer(const std::string& code, const Problem& problem) {
  const auto language = text_field_or(problem.extra, "language", "", "python");
  return "```" + (language.ok() ? language.value() : "") + "\n" + code + "\n```";
}

// The solution as a model would give it; nothing if the suite has none.
std::optional<std::string> solution_text(const Problem& problem) {
  if (problem.task != "code")
    return problem.answer.empty() ? std::nullopt : std::optional("\\boxed{" + problem.answer + "}");
  const Json* solution = find_field(problem.extra, "solution");
  if (solution == nullptr || !solution->is_string()) return std::nullopt;
  return as_answer(solution->get<std::string>(), problem);
}

struct Work {
  const Problem* problem;
  std::string text;
};

}  // namespace

int64_t SuiteCheck::count(bool wrong, bool as_expected) const {
  return std::count_if(all.begin(), all.end(), [&](const CheckedSolution& solution) {
    return solution.wrong == wrong && solution.as_expected() == as_expected;
  });
}

Result<SuiteCheck> check_solutions(const Suite& suite, const Sandbox* sandbox, int threads,
                                   const ProgressSink& progress) {
  SuiteCheck check;
  std::vector<Work> work;
  const auto add = [&](const Problem& problem, bool wrong, std::string text) {
    check.all.push_back({.id = problem.id, .wrong = wrong, .judgement = {}});
    work.push_back({&problem, std::move(text)});
  };
  for (const Problem& problem : suite.problems) {
    if (find_task(problem.task) == nullptr)
      return Failure{{.what = "there is no task " + problem.task, .where = problem.id}};
    if (auto text = solution_text(problem))
      add(problem, false, std::move(*text));
    else
      ++check.without;
    const Json* wrong = find_field(problem.extra, "wrong");
    for (const Json& code : wrong != nullptr && wrong->is_array() ? *wrong : Json::array())
      if (code.is_string()) add(problem, true, as_answer(code.get<std::string>(), problem));
  }
  std::mutex mutex;
  uint64_t done = 0;
  std::atomic<bool> stopped = false;
  ThreadPool pool(threads);
  pool.run(std::ssize(work), [&](int64_t i, int) {
    if (stopped) return;
    const auto& [problem, text] = work[static_cast<size_t>(i)];
    Judgement judgement = find_task(problem->task)->judge(*problem, text, sandbox);
    const std::scoped_lock lock(mutex);
    check.all[static_cast<size_t>(i)].judgement = std::move(judgement);
    const ProgressReport report{
        .what = "checking", .done = ++done, .total = work.size(), .unit = "solutions"};
    if (progress && !progress(report)) stopped = true;
  });
  if (stopped) return Failure{{.what = "stopped"}};
  return check;
}

}  // namespace ponder
