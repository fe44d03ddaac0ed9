// ponder eval rescore: judges the answers of a run again, and asks nobody.
#include <CLI/CLI.hpp>
#include <map>

#include "cli/eval.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "eval/report.hpp"
#include "eval/rescore.hpp"

namespace ponder {
namespace {

struct RescoreFlags {
  std::string folder, suite, format, out;
  bool unconfined = false, json = false;
};

// "pass to wrong: 4 (HumanEval/3, …)", a line each.
std::string changes_text(const std::vector<ChangedVerdict>& changed) {
  constexpr size_t kNamed = 20;
  if (changed.empty()) return "\nNo verdict changed.\n";
  std::map<std::string, std::vector<std::string>> kinds;
  for (const ChangedVerdict& change : changed) {
    const std::string kind =
        std::string(verdict_name(change.before)) + " to " + std::string(verdict_name(change.now));
    kinds[kind].push_back(change.problem + (change.sample > 0 ? " sample " : "") +
                          (change.sample > 0 ? std::to_string(change.sample) : ""));
  }
  std::string text = "\nVerdicts that changed:\n\n";
  for (const auto& [kind, names] : kinds) {
    text += "- " + kind + ": " + std::to_string(names.size()) + " (";
    for (size_t i = 0; i < std::min(names.size(), kNamed); ++i) text += (i ? ", " : "") + names[i];
    text += names.size() > kNamed ? ", …)\n" : ")\n";
  }
  return text;
}

OutputJson changes_json(const std::vector<ChangedVerdict>& changed) {
  OutputJson list = OutputJson::array();
  for (const ChangedVerdict& change : changed)
    list.push_back({{"problem", change.problem},
                    {"sample", change.sample},
                    {"before", verdict_name(change.before)},
                    {"now", verdict_name(change.now)}});
  return list;
}

Result<int> judge_and_tell(const RescoreFlags& flags, RunStore& store) {
  std::vector<Problem> problems;
  for (StoredProblem& stored : PONDER_TRY(store.problems()))
    problems.push_back(std::move(stored.problem));
  const auto sandbox = PONDER_TRY(open_judge(problems, flags.unconfined, store));
  PONDER_TRY(judge_stored(store, sandbox, false));
  const OrderedJson price = PONDER_TRY(store.note("machine_price"));
  RunScore score = PONDER_TRY(score_run(
      store, flags.out, price.is_number() ? std::optional(price.get<double>()) : std::nullopt));
  const auto before = PONDER_TRY(RunStore::read(flags.folder));
  const auto changed = PONDER_TRY(changed_verdicts(*before, store));
  const std::vector<ReportedRun> runs = {{std::move(score), &store}};
  if (flags.json) {
    OrderedJson json = report_json(runs)["runs"][0];
    json["changed"] = changes_json(changed);
    PONDER_TRY(print(json_text(json)));
  } else {
    PONDER_TRY(print(terminal_safe(report_markdown(runs) + changes_text(changed))));
  }
  return runs[0].score.pass_1.estimate ? 0 : 1;
}

Result<int> rescore(const RescoreFlags& flags) {
  if (RunStore::exists(flags.out))
    return Failure{{.what = "there is a run already",
                    .where = flags.out,
                    .mend = "choose another --out: no run is overwritten"}};
  std::optional<Suite> suite;
  if (!flags.suite.empty()) suite = PONDER_TRY(suite_library().find(flags.suite, flags.format, 0));
  const auto store =
      PONDER_TRY(prepare_rescore(flags.folder, flags.out, suite ? &*suite : nullptr));
  auto done = judge_and_tell(flags, *store);
  if (done.ok()) return done;
  std::error_code ignored;  // half a run is of no use: the answers are where they were
  std::filesystem::remove(std::filesystem::path(flags.out) / "run.sqlite", ignored);
  return done;
}

}  // namespace

void add_eval_rescore(CLI::App& eval, Selection& selection) {
  CLI::App& command = *eval.add_subcommand(
      "rescore", "Judge the answers of a run again, with other tests or a newer Ponder");
  auto flags = std::make_shared<RescoreFlags>();
  command.add_option("DIR", flags->folder, "Folder of a run; it is only read")->required();
  command.add_option("--out", flags->out, "Folder of the new run")->required()->type_name("DIR");
  command
      .add_option("--suite", flags->suite,
                  "Other tests for the same problems: a name of `eval list`, or a file. Default: "
                  "those of the run")
      ->type_name("NAME");
  command.add_option("--format", flags->format, "Of a file, if it cannot be told")
      ->type_name("NAME");
  command.add_flag("--no-sandbox", flags->unconfined,
                   "Run programs even where nothing can shut them in. Dangerous");
  command.add_flag("--json", flags->json, "Print JSON");
  command.footer(
      "No model is asked: the answers that are stored, with their times and costs, get new "
      "verdicts.\n"
      "A suite with other problems is refused. Verdicts that changed are listed.\n\n"
      "Examples:\n"
      "  ponder eval rescore eval-runs/humaneval-m --suite humaneval-plus-ours --out "
      "eval-runs/plus-m\n"
      "  ponder eval rescore eval-runs/humaneval-m --out eval-runs/again-m");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return rescore(*flags); }; });
}

}  // namespace ponder
