// ponder eval: which models solve which problems, and what it costs. Suites: list, show, add.
#include "cli/eval.hpp"

#include <CLI/CLI.hpp>

#include "base/env.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"

namespace ponder {
namespace {

struct ListFlags {
  bool json = false;
};

Result<int> list_suites(const ListFlags& flags) {
  OutputJson json = OutputJson::array();
  std::string text;
  const auto add = [&](const Suite& suite) {
    json.push_back({{"name", suite.name},
                    {"problems", suite.problems.size()},
                    {"format", suite.format},
                    {"origin", suite.origin}});
    char line[128];
    std::snprintf(line, sizeof line, "%-20s %6zu problems  %-14s ", suite.name.c_str(),
                  suite.problems.size(), suite.format.c_str());
    text += line + suite.origin + "\n";
  };
  for (const std::string& name : builtin_suites()) add(PONDER_TRY(builtin_suite(name)));
  for (const std::string& name : generated_suites()) add(PONDER_TRY(generate_suite(name, 0)));
  const SuiteLibrary library = suite_library();
  for (const std::string& name : library.names()) {
    const auto suite = library.find(name, "", 0);
    if (suite.ok())
      add(suite.value());
    else
      print_error("ponder: " + terminal_safe(suite.error().message()) + "\n");
  }
  PONDER_TRY(print(flags.json ? json_text(json) : terminal_safe(text)));
  return 0;
}

struct ShowFlags {
  std::string suite, format, problem;
  bool json = false;
};

Result<int> show_suite(const ShowFlags& flags) {
  const Suite suite = PONDER_TRY(suite_library().find(flags.suite, flags.format, 0));
  const Problem* shown = &suite.problems.front();
  if (!flags.problem.empty()) {
    shown = nullptr;
    for (const Problem& problem : suite.problems)
      if (problem.id == flags.problem) shown = &problem;
    if (shown == nullptr)
      return Failure{{.what = "has no such problem", .where = suite.name + ": " + flags.problem}};
  }
  const std::string question = question_text(suite, *shown);
  if (flags.json) {
    PONDER_TRY(print(json_text({{"name", suite.name},
                                {"format", suite.format},
                                {"origin", suite.origin},
                                {"sha256", suite.sha256},
                                {"problems", suite.problems.size()},
                                {"warning", suite.warning},
                                {"problem",
                                 {{"id", shown->id},
                                  {"task", shown->task},
                                  {"level", shown->level},
                                  {"question", question},
                                  {"answer", shown->answer}}}})));
    return 0;
  }
  std::string text = suite.name + ": " + std::to_string(suite.problems.size()) +
                     " problems, format " + suite.format + ", " + suite.origin + "\n";
  if (!suite.warning.empty()) text += suite.warning + "\n";
  text += "\n" + shown->id + ", level " + std::to_string(shown->level) + "\n\n" + question + "\n";
  if (!shown->answer.empty()) text += "\nReference answer: " + shown->answer + "\n";
  PONDER_TRY(print(terminal_safe(text)));
  return 0;
}

struct AddFlags {
  std::string name, file, format;
};

Result<int> add_suite(const AddFlags& flags) {
  const Suite suite = PONDER_TRY(suite_library().add(flags.name, flags.file, flags.format));
  PONDER_TRY(print(terminal_safe(suite.name + ": " + std::to_string(suite.problems.size()) +
                                 " problems, format " + suite.format + "\n")));
  return 0;
}

void add_format_flag(CLI::App& command, std::string& format) {
  std::string names;
  for (const std::string_view name : suite_formats())
    names += (names.empty() ? "" : ", ") + std::string(name);
  command.add_option("--format", format, "Of the file, if it cannot be told: " + names)
      ->type_name("NAME");
}

}  // namespace

SuiteLibrary suite_library() { return SuiteLibrary(cache_folder() / "suites"); }

void add_eval_list(CLI::App& eval, Selection& selection) {
  CLI::App& command = *eval.add_subcommand("list", "Name the suites");
  auto flags = std::make_shared<ListFlags>();
  command.add_flag("--json", flags->json, "Print JSON");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return list_suites(*flags); }; });
}

void add_eval_show(CLI::App& eval, Selection& selection) {
  CLI::App& command = *eval.add_subcommand("show", "Show a suite and one of its questions");
  auto flags = std::make_shared<ShowFlags>();
  command.add_option("SUITE", flags->suite, "A name of `eval list`, or a file")->required();
  command.add_option("--problem", flags->problem, "Which one; default: the first")->type_name("ID");
  add_format_flag(command, flags->format);
  command.add_flag("--json", flags->json, "Print JSON");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return show_suite(*flags); }; });
}

void add_eval_add(CLI::App& eval, Selection& selection) {
  CLI::App& command = *eval.add_subcommand("add", "Keep a file of problems as a suite");
  auto flags = std::make_shared<AddFlags>();
  command.add_option("NAME", flags->name, "What to call it")->required();
  command.add_option("FILE", flags->file, "JSON lines, a JSON array or CSV; plain or .gz")
      ->required();
  add_format_flag(command, flags->format);
  command.footer(
      "Read as their authors publish them: HumanEval and HumanEval+, MBPP and MBPP+, "
      "LiveCodeBench,\n"
      "GSM8K, MATH, AIME, GPQA and other questions with choices; and programs of your own, one "
      "JSON\n"
      "object a line: id, prompt, language (python or cpp), and io ([{\"stdin\", \"stdout\"}]) or\n"
      "tests.\n\n"
      "Examples:\n"
      "  ponder eval add humaneval HumanEval.jsonl.gz\n"
      "  ponder eval add gpqa gpqa_diamond.csv");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return add_suite(*flags); }; });
}

void add_eval_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("eval", "Measure what models solve, and what that costs");
  command.require_subcommand(1);
  add_eval_list(command, selection);
  add_eval_show(command, selection);
  add_eval_add(command, selection);
  add_eval_check(command, selection);
  add_eval_plus(command, selection);
  add_eval_run(command, selection);
  add_eval_rescore(command, selection);
  add_eval_report(command, selection);
  command.footer(
      "Examples:\n"
      "  ponder eval list\n"
      "  ponder eval run --suite arithmetic -m model.gguf --greedy\n"
      "  ponder eval report eval-runs/* -o report.html");
}

}  // namespace ponder
