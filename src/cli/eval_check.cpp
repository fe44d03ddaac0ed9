// ponder eval check: whether a suite's own solutions pass on this machine.
#include <CLI/CLI.hpp>

#include "base/thread_pool.hpp"
#include "cli/eval.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "eval/suite_check.hpp"

namespace ponder {
namespace {

struct CheckFlags {
  std::string suite, format;
  bool json = false;
};

Result<int> check_suite(const CheckFlags& flags) {
  const Suite suite = PONDER_TRY(suite_library().find(flags.suite, flags.format, 0));
  std::optional<Sandbox> sandbox;
  for (const Problem& problem : suite.problems)
    if (problem.task == "code" && !sandbox) sandbox = PONDER_TRY(Sandbox::create());
  ProgressLine line;
  const SuiteCheck check = PONDER_TRY(
      check_solutions(suite, sandbox ? &*sandbox : nullptr, available_cpus(), line.sink()));
  line.clear();
  OutputJson failed = OutputJson::array(), passed = failed, found = failed;
  std::string text;
  for (const CheckedSolution& solution : check.all) {
    const std::string verdict(verdict_name(solution.judgement.verdict));
    if (solution.wrong) found.push_back({{"id", solution.id}, {"verdict", verdict}});
    if (solution.as_expected()) continue;
    (solution.wrong ? passed : failed)
        .push_back({{"id", solution.id}, {"verdict", verdict}, {"why", solution.judgement.why}});
    text += solution.id + ": " + (solution.wrong ? "a wrong program gets " : "") + verdict +
            (solution.judgement.why.empty() ? "" : ": " + solution.judgement.why) + "\n";
  }
  const int64_t right = check.count(false, true), refused = check.count(true, true);
  const int64_t checked = right + std::ssize(failed), wrong = refused + std::ssize(passed);
  if (flags.json) {
    PONDER_TRY(print(json_text({{"checked", checked},
                                {"failed", failed},
                                {"wrong_checked", wrong},
                                {"wrong_passed", passed},
                                {"wrong_verdicts", found}})));
  } else {
    text += std::to_string(right) + " of " + std::to_string(checked) + " solutions pass; " +
            std::to_string(check.without) + " problems have none\n";
    if (wrong > 0)
      text += std::to_string(refused) + " of " + std::to_string(wrong) +
              " wrong programs are found out\n";
    PONDER_TRY(print(terminal_safe(text)));
  }
  return failed.empty() && passed.empty() ? 0 : 1;
}

}  // namespace

void add_eval_check(CLI::App& eval, Selection& selection) {
  CLI::App& command = *eval.add_subcommand(
      "check", "Judge a suite's own solutions: all must pass here, and wrong ones must not");
  auto flags = std::make_shared<CheckFlags>();
  command.add_option("SUITE", flags->suite, "A name of `eval list`, or a file")->required();
  command.add_option("--format", flags->format, "Of a file, if it cannot be told")
      ->type_name("NAME");
  command.add_flag("--json", flags->json, "Print JSON");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return check_suite(*flags); }; });
}

}  // namespace ponder
