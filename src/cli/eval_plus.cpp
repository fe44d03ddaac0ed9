// ponder eval plus: more tests for a suite, from its own solutions.
#include <CLI/CLI.hpp>

#include "base/file.hpp"
#include "base/thread_pool.hpp"
#include "cli/eval.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "eval/plus.hpp"

namespace ponder {
namespace {

struct PlusFlags {
  std::string file, format, out;
  std::optional<int64_t> seed, most, tries;
  bool json = false;
};

std::string plus_text(const PlusSuite& plus, const std::string& out) {
  std::string text;
  int64_t added = 0, recorded = 0, without = 0, mutants = 0, before = 0, after = 0;
  for (const PlusProblem& problem : plus.problems) {
    added += problem.added, recorded += problem.recorded;
    mutants += problem.mutants, before += problem.shown_before, after += problem.shown;
    if (problem.added > 0) continue;
    ++without;
    text += problem.id + ": " + problem.why_not + "\n";
  }
  return text + std::to_string(added) + " inputs more for " +
         std::to_string(std::ssize(plus.problems) - without) + " of " +
         std::to_string(plus.problems.size()) + " problems, which had " + std::to_string(recorded) +
         "; mutants found out: " + std::to_string(after) + " of " + std::to_string(mutants) + ", " +
         std::to_string(before) + " before\n" + out + "\n";
}

OutputJson plus_json(const PlusSuite& plus) {
  OutputJson list = OutputJson::array();
  for (const PlusProblem& problem : plus.problems)
    list.push_back({{"id", problem.id},
                    {"recorded", problem.recorded},
                    {"added", problem.added},
                    {"mutants", problem.mutants},
                    {"shown_before", problem.shown_before},
                    {"shown", problem.shown},
                    {"why_not", problem.why_not}});
  return list;
}

Result<int> add_plus(const PlusFlags& flags) {
  const auto source = PONDER_TRY(suite_library().source(flags.file, flags.format));
  const Sandbox sandbox = PONDER_TRY(Sandbox::create());
  PlusOptions options{.seed = static_cast<uint64_t>(flags.seed.value_or(1)),
                      .threads = available_cpus()};
  if (flags.most) options.most = static_cast<int>(*flags.most);
  if (flags.most) options.fill = std::min(options.fill, options.most);
  if (flags.tries) options.tries = static_cast<int>(*flags.tries);
  ProgressLine line;
  options.progress = line.sink();
  const PlusSuite plus = PONDER_TRY(make_plus(source.file, source.format, sandbox, options));
  line.clear();
  PONDER_TRY(write_file(flags.out, plus_file(plus)));
  PONDER_TRY(
      print(flags.json ? json_text(plus_json(plus)) : terminal_safe(plus_text(plus, flags.out))));
  return 0;
}

}  // namespace

void add_eval_plus(CLI::App& eval, Selection& selection) {
  CLI::App& command =
      *eval.add_subcommand("plus", "Make more tests for a suite, from its own solutions");
  auto flags = std::make_shared<PlusFlags>();
  command.add_option("SUITE", flags->file, "A name that was added, or a file")->required();
  command.add_option("-o,--out", flags->out, "The file to write")->required()->type_name("FILE");
  command.add_option("--format", flags->format, "Of a file, if it cannot be told")
      ->type_name("NAME");
  add_integer_flag(command, "--seed", flags->seed, 0, INT64_MAX / 2)->description("Default: 1");
  add_integer_flag(command, "--most", flags->most, 1, 1000)
      ->description("New inputs for a problem; default: 50");
  add_integer_flag(command, "--tries", flags->tries, 1, 1'000'000)
      ->description("Inputs that are tried for a problem; default: 1000");
  command.add_flag("--json", flags->json, "Print JSON");
  command.footer(
      "For suites in the format of HumanEval or MBPP with solutions. The inputs that their tests "
      "use\n"
      "are changed according to their types; kept are those that tell apart changed solutions, "
      "go\n"
      "other ways through the solution, or give other results. They are checked against the "
      "solution,\n"
      "so a description that leaves something open can make right programs fail: these are "
      "Ponder's\n"
      "own tests, not EvalPlus'. The same seed gives the same file.\n\n"
      "Example:\n"
      "  ponder eval plus humaneval -o humaneval-plus-ours.jsonl\n"
      "  ponder eval add humaneval-plus-ours humaneval-plus-ours.jsonl");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return add_plus(*flags); }; });
}

}  // namespace ponder
