// ponder eval check: whether a suite's own solutions pass on this machine.
#include <CLI/CLI.hpp>

#include "cli/eval.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"

namespace ponder {
namespace {

struct CheckFlags {
  std::string suite, format;
  bool json = false;
};

// The solution as a model would give it; nothing if the suite has none.
std::optional<std::string> solution_text(const Problem& problem) {
  if (problem.task != "code")
    return problem.answer.empty() ? std::nullopt : std::optional("\\boxed{" + problem.answer + "}");
  const Json* solution = find_field(problem.extra, "solution");
  if (solution == nullptr || !solution->is_string()) return std::nullopt;
  const auto language = text_field_or(problem.extra, "language", "", "python");
  return "```" + (language.ok() ? language.value() : "") + "\n" + solution->get<std::string>() +
         "\n```";
}

Result<int> check_suite(const CheckFlags& flags) {
  const Suite suite = PONDER_TRY(suite_library().find(flags.suite, flags.format, 0));
  std::optional<Sandbox> sandbox;
  for (const Problem& problem : suite.problems)
    if (problem.task == "code" && !sandbox) sandbox = PONDER_TRY(Sandbox::create());
  ProgressLine line;
  const ProgressSink progress = line.sink();
  OutputJson failed = OutputJson::array();
  uint64_t done = 0, checked = 0;
  for (const Problem& problem : suite.problems) {
    if (!progress({.what = "checking",
                   .done = done++,
                   .total = suite.problems.size(),
                   .unit = "solutions"}))
      return Failure{{.what = "stopped"}};
    const Task* task = find_task(problem.task);
    const auto text = solution_text(problem);
    if (task == nullptr || !text) continue;
    ++checked;
    const Judgement judgement = task->judge(problem, *text, sandbox ? &*sandbox : nullptr);
    if (judgement.verdict != Verdict::kPass)
      failed.push_back({{"id", problem.id},
                        {"verdict", verdict_name(judgement.verdict)},
                        {"why", judgement.why}});
  }
  line.clear();
  if (flags.json) {
    PONDER_TRY(print(json_text({{"checked", checked}, {"failed", failed}})));
  } else {
    std::string text;
    for (const auto& entry : failed)
      text += entry["id"].get<std::string>() + ": " + entry["verdict"].get<std::string>() + ": " +
              entry["why"].get<std::string>() + "\n";
    text += std::to_string(checked - failed.size()) + " of " + std::to_string(checked) +
            " solutions pass; " + std::to_string(suite.problems.size() - checked) +
            " problems have none\n";
    PONDER_TRY(print(terminal_safe(text)));
  }
  return failed.empty() ? 0 : 1;
}

}  // namespace

void add_eval_check(CLI::App& eval, Selection& selection) {
  CLI::App& command =
      *eval.add_subcommand("check", "Judge a suite's own solutions: all must pass here");
  auto flags = std::make_shared<CheckFlags>();
  command.add_option("SUITE", flags->suite, "A name of `eval list`, or a file")->required();
  command.add_option("--format", flags->format, "Of a file, if it cannot be told")
      ->type_name("NAME");
  command.add_flag("--json", flags->json, "Print JSON");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return check_suite(*flags); }; });
}

}  // namespace ponder
