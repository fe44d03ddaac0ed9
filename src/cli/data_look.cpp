// ponder data stats, sample, what-if, report: looking at a corpus and at what a step did.
#include <CLI/CLI.hpp>

#include <cmath>

#include "base/file.hpp"
#include "cli/data.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "data/look/look_steps.hpp"
#include "data/look/recorded.hpp"
#include "data/look/report_page.hpp"

namespace ponder {
namespace {

std::string aligned(const std::string& name, uint64_t count) {
  const std::string number = std::to_string(count);
  return name + std::string(name.size() < 30 ? 30 - name.size() : 1, ' ') +
         std::string(number.size() < 14 ? 14 - number.size() : 0, ' ') + number + "\n";
}

// Looks at every document of the input, without output.
Result<StepTally> look(DataFlags& flags, DocumentStep& step) {
  const auto inputs = PONDER_TRY(find_inputs(flags.input));
  ThreadPool pool(flags.run.threads);
  return run_to_output(step, flags.input, inputs, flags.run, pool);
}

struct StatsFlags {
  DataFlags data;
  bool languages = false;
};

Result<int> print_stats(StatsFlags& flags) {
  ProgressLine line;
  PONDER_TRY(prepare_data_flags(flags.data, line));
  CorpusStats stats(flags.languages);
  const StepTally tally = PONDER_TRY(look(flags.data, stats));
  line.clear();
  OrderedJson json = stats.to_json();
  json["quarantined"] = tally.quarantined;
  if (flags.data.json) {
    PONDER_TRY(print(json_text(json)));
    return 0;
  }
  std::string text;
  for (const char* name : {"documents", "bytes", "chars", "words", "lines", "quarantined"})
    text += aligned(name, json[name].get<uint64_t>());
  for (const OrderedJson& size : json["by_chars"])
    text += aligned("  from " + std::to_string(size["from"].get<uint64_t>()) + " characters",
                    size["documents"].get<uint64_t>());
  if (flags.languages)
    for (const auto& [code, count] : json["by_language"].items())
      text += aligned("  " + code, count.get<uint64_t>());
  PONDER_TRY(print(text));
  return 0;
}

struct SampleFlags {
  DataFlags data;
  double fraction = 0;
  uint64_t count = 0, seed = 1;
};

Result<int> sample(SampleFlags& flags) {
  if ((flags.count > 0) == (flags.fraction > 0))
    return Failure{{.what = "give either -n or --fraction", .where = "ponder data sample"}};
  ProgressLine line;
  PONDER_TRY(prepare_data_flags(flags.data, line));
  uint64_t limit = SampleStep::limit_of(flags.fraction);
  if (flags.count > 0) {
    for (const std::string& path : flags.data.input.paths)
      if (path == "-")
        return Failure{{.what = "standard input cannot be read twice",
                        .where = "-n",
                        .mend = "give --fraction"}};
    SampleLimit chooser(flags.seed, flags.count);
    PONDER_TRY(look(flags.data, chooser));
    limit = chooser.limit();
  }
  SampleStep step(flags.seed, limit);
  flags.data.run.settings = {{"step", "sample"}, {"seed", flags.seed}, {"limit", limit}};
  flags.data.run.samples = 0;
  return run_data_step(flags.data, step);
}

struct WhatIfFlags {
  std::string folder;
  std::vector<std::string> settings;
  bool json = false;
};

Result<int> what_if(const WhatIfFlags& flags) {
  const RecordedValues recorded = PONDER_TRY(RecordedValues::open(flags.folder));
  const auto old_thresholds = PONDER_TRY(recorded.changed_thresholds({}));
  const auto new_thresholds = PONDER_TRY(recorded.changed_thresholds(flags.settings));
  const auto before = recorded.outcome(old_thresholds), after = recorded.outcome(new_thresholds);
  OrderedJson json = {{"documents", recorded.documents()},
                      {"kept_before", before.kept},
                      {"kept_after", after.kept}};
  std::string text = "                                    before         after\n";
  const auto row = [&](const std::string& name, uint64_t a, uint64_t b) {
    const std::string x = std::to_string(a), y = std::to_string(b);
    text += name + std::string(name.size() < 30 ? 30 - name.size() : 1, ' ') +
            std::string(x.size() < 12 ? 12 - x.size() : 0, ' ') + x +
            std::string(y.size() < 14 ? 14 - y.size() : 0, ' ') + y + "\n";
  };
  row("kept", before.kept, after.kept);
  OrderedJson& rules = json["rules"] = OrderedJson::array();
  for (size_t i = 0; i < recorded.rules().size(); ++i) {
    const RecordedRule& rule = recorded.rules()[i];
    rules.push_back({{"filter", rule.filter},
                     {"rule", rule.rule},
                     {"removed_before", before.removed[i]},
                     {"removed_after", after.removed[i]}});
    if (before.removed[i] > 0 || after.removed[i] > 0)
      row("  " + rule.rule, before.removed[i], after.removed[i]);
  }
  PONDER_TRY(print(flags.json ? json_text(json) : text));
  return 0;
}

struct ReportFlags {
  std::string folder, output;
};

void add_stats(CLI::App& data, Selection& selection) {
  CLI::App& command = *data.add_subcommand("stats", "Count documents, words, sizes, languages");
  auto flags = std::make_shared<StatsFlags>();
  add_data_flags(command, flags->data, false);
  command.add_flag("--languages", flags->languages, "Find the language of each document");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return print_stats(*flags); }; });
}

void add_sample(CLI::App& data, Selection& selection) {
  CLI::App& command = *data.add_subcommand("sample", "Take some documents at random");
  auto flags = std::make_shared<SampleFlags>();
  add_data_flags(command, flags->data);
  command.add_option("-n,--count", flags->count, "How many documents")->type_name("N");
  command.add_option("--fraction", flags->fraction, "Which share of them")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("F");
  command.add_option("--seed", flags->seed, "Another seed takes others (1)")->type_name("S");
  command.callback([flags, &selection] { selection.command = [flags] { return sample(*flags); }; });
}

}  // namespace

void add_data_look(CLI::App& data, Selection& selection) {
  add_stats(data, selection);
  add_sample(data, selection);
  CLI::App& command = *data.add_subcommand(
      "what-if", "What other thresholds would keep, from values that filter --record noted");
  auto flags = std::make_shared<WhatIfFlags>();
  command.add_option("DIR", flags->folder, "Folder of ponder data filter --record")->required();
  command.add_option("--set", flags->settings, "A threshold: gopher_quality.min_words=30, or =off")
      ->allow_extra_args(false)
      ->type_name("F.O=V");
  command.add_flag("--json", flags->json, "Print a JSON object");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return what_if(*flags); }; });
  CLI::App& report = *data.add_subcommand(
      "report", "One HTML page: counts, histograms, a browser of removed documents");
  auto page = std::make_shared<ReportFlags>();
  report.add_option("DIR", page->folder, "Folder of a finished step")->required();
  report.add_option("-o,--output", page->output, "The page")->required()->type_name("FILE");
  report.callback([page, &selection] {
    selection.command = [page]() -> Result<int> {
      PONDER_TRY(write_file(page->output, PONDER_TRY(data_report(page->folder))));
      return 0;
    };
  });
}

}  // namespace ponder
