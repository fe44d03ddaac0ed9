// What judges the answers of a run.
#include <thread>

#include "cli/eval.hpp"
#include "cli/terminal.hpp"
#include "cli/version.hpp"
#include "eval/runner.hpp"
#include "judge/sandbox/self_test.hpp"

namespace ponder {

Result<std::optional<Sandbox>> open_judge(const std::vector<Problem>& problems, bool unconfined,
                                          RunStore& store) {
  bool needed = false;
  for (const Problem& problem : problems) needed = needed || problem.task == "code";
  if (!needed) return std::optional<Sandbox>();
  Sandbox sandbox = PONDER_TRY(Sandbox::create({.allow_unconfined = unconfined}));
  ProgressLine progress;
  const SelfTestReport report = self_test(sandbox, {.quick = true, .progress = progress.sink()});
  if (!report.complete) return Failure{{.what = "stopped"}};
  std::string warning;
  if (sandbox.level() == SandboxLevel::kNone)
    warning =
        "Programs ran without a sandbox, since --no-sandbox asked for it: they could do what "
        "they liked, also to these results.";
  PONDER_TRY(store.set_note("judge", {{"ponder", kVersion},
                                      {"sandbox", sandbox_level_name(sandbox.level())},
                                      {"selftest", report.summary()},
                                      {"warning", warning}}));
  const bool believed = report.passed() || sandbox.level() == SandboxLevel::kNone;
  PONDER_TRY(store.set_note(
      "withheld", believed ? OrderedJson(nullptr)
                           : OrderedJson("the sandbox fails its self-test: " + report.summary())));
  return std::optional(std::move(sandbox));
}

Result<void> judge_stored(RunStore& store, const std::optional<Sandbox>& sandbox, bool again) {
  const auto problems = PONDER_TRY(store.problems());
  for (const StoredProblem& stored : problems)
    if (find_task(stored.problem.task) == nullptr)
      return Failure{{.what = "nobody can judge a problem of the task " + stored.problem.task}};
  ProgressLine progress;
  return judge_all(
      {.problems = &problems,
       .store = &store,
       .judge =
           [&](const Problem& problem, std::string_view text) {
             return find_task(problem.task)->judge(problem, text, sandbox ? &*sandbox : nullptr);
           },
       .threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency())),
       .again = again,
       .progress = progress.sink()});
}

}  // namespace ponder
