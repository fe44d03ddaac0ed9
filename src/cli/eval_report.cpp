// ponder eval report: what runs gave, side by side.
#include <CLI/CLI.hpp>

#include "base/file.hpp"
#include "cli/eval.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "eval/report.hpp"

namespace ponder {
namespace {

struct ReportFlags {
  std::vector<std::string> folders;
  std::string out;
  std::optional<double> machine_price;
  bool json = false;
};

Result<int> report(const ReportFlags& flags) {
  std::vector<std::unique_ptr<RunStore>> stores;
  std::vector<ReportedRun> runs;
  for (const std::string& folder : flags.folders) {
    stores.push_back(PONDER_TRY(RunStore::read(folder)));
    std::optional<double> price = flags.machine_price;
    const OrderedJson noted = PONDER_TRY(stores.back()->note("machine_price"));
    if (!price && noted.is_number()) price = noted.get<double>();
    runs.push_back({PONDER_TRY(score_run(*stores.back(), folder, price)), stores.back().get()});
  }
  if (!flags.out.empty()) {
    const std::string html = PONDER_TRY(report_html(runs));
    PONDER_TRY(write_file(flags.out, html));
  }
  PONDER_TRY(
      print(flags.json ? json_text(report_json(runs)) : terminal_safe(report_markdown(runs))));
  return 0;
}

}  // namespace

void add_eval_report(CLI::App& eval, Selection& selection) {
  CLI::App& command = *eval.add_subcommand("report", "Compare runs");
  auto flags = std::make_shared<ReportFlags>();
  command.add_option("DIR", flags->folders, "Folders of `eval run`")->required();
  command.add_option("-o,--out", flags->out, "Write one HTML file, with all questions and answers")
      ->type_name("FILE");
  command
      .add_option("--machine-price", flags->machine_price,
                  "Dollars of an hour of this machine, instead of what the runs were given")
      ->check(CLI::NonNegativeNumber)
      ->type_name("USD");
  command.add_flag("--json", flags->json, "Print JSON instead of Markdown");
  command.footer(
      "Examples:\n"
      "  ponder eval report eval-runs/* -o report.html\n"
      "  ponder eval report eval-runs/* --json | jq '.runs[] | {model, \"pass@1\"}'");
  command.callback([flags, &selection] { selection.command = [flags] { return report(*flags); }; });
}

}  // namespace ponder
