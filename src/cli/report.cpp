// ponder report: one page about training runs.
#include <CLI/CLI.hpp>

#include "base/file.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "train/report.hpp"

namespace ponder {
namespace {

struct ReportFlags {
  std::vector<std::string> runs;
  std::string output = "report.html";
};

Result<int> write_report(const ReportFlags& flags) {
  std::vector<ReportRun> runs;
  for (const std::string& folder : flags.runs) runs.push_back(PONDER_TRY(read_run(folder)));
  PONDER_TRY(write_file(flags.output, report_html(runs)));
  PONDER_TRY(print(flags.output + "\n"));
  return 0;
}

}  // namespace

void add_report_command(CLI::App& app, Selection& selection) {
  CLI::App& command =
      *app.add_subcommand("report", "Write a page with the curves of training runs");
  auto flags = std::make_shared<ReportFlags>();
  command.add_option("RUN", flags->runs, "Folders that `ponder train` wrote, one or more")
      ->required();
  command.add_option("-o,--output", flags->output, "The HTML file; default: report.html")
      ->type_name("FILE");
  command.footer(
      "Curves of every figure, the runs beside each other, and transcripts over time. The file "
      "needs\nnothing else and can be sent to somebody.\n\n"
      "Examples:\n"
      "  ponder report runs/first -o report.html\n"
      "  ponder report runs/seed1 runs/seed2 runs/seed3 -o seeds.html");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return write_report(*flags); }; });
}

}  // namespace ponder
