// ponder train sample, rescore and pipeline.
#include "cli/train_rl.hpp"

#include <CLI/CLI.hpp>

#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "cli/train.hpp"
#include "cli/train_dashboard.hpp"
#include "train/rl/pipeline.hpp"
#include "train/rl/rescore.hpp"
#include "train/rl/sample_run.hpp"

namespace ponder {
namespace {

// Runs `work` as one of the ranks that there are. One that fails ends all, since they may wait.
Result<int> on_ranks(const std::function<Result<int>(Communicator&)>& work) {
  const auto ranks = PONDER_TRY(Communicator::create());
  auto status = work(*ranks);
  if (!status.ok() && ranks->size() > 1 && status.error().what != "stopped") {
    print_error("ponder: " + terminal_safe(status.error().message()) + "\n");
    ranks->abort(1);
  }
  return status;
}

// --- sample ---

struct SampleFlags {
  TrainFlags train;
  bool json = false;
};

Result<int> sample(const SampleFlags& flags, Communicator& ranks) {
  const Recipe recipe = PONDER_TRY(Recipe::open(flags.train.recipe, flags.train.sets));
  ProgressLine line;
  const SelectionCounts counts =
      PONDER_TRY(run_sampling(recipe, {.out = flags.train.out,
                                       .resume = flags.train.resume,
                                       .threads = flags.train.threads,
                                       .isa = flags.train.isa,
                                       .seed = flags.train.seed,
                                       .stop = [] { return stop_flag().load(); },
                                       .progress = line.sink(),
                                       .ranks = &ranks}));
  line.clear();
  if (ranks.rank() != 0) return 0;
  const std::string file = (std::filesystem::path(flags.train.out) / "samples.jsonl").string();
  if (flags.json) {
    const OutputJson object = {{"file", file},
                               {"problems", counts.problems},
                               {"solved", counts.solved},
                               {"answers", counts.answers},
                               {"wrong", counts.wrong},
                               {"unfit", counts.unfit},
                               {"duplicates", counts.duplicates},
                               {"surplus", counts.surplus},
                               {"kept", counts.kept}};
    PONDER_TRY(print(json_text(object)));
    return 0;
  }
  PONDER_TRY(print(std::to_string(counts.kept) + " of " + std::to_string(counts.answers) +
                   " answers kept in " + file + ": " + std::to_string(counts.solved) + " of " +
                   std::to_string(counts.problems) + " problems solved; wrong " +
                   std::to_string(counts.wrong) + ", unfit " + std::to_string(counts.unfit) +
                   ", twice " + std::to_string(counts.duplicates) + ", more than wanted " +
                   std::to_string(counts.surplus) + "\n"));
  return 0;
}

// --- rescore ---

struct RescoreFlags {
  std::string run;
  std::vector<std::string> sets;
  int threads = 0;
  bool json = false, changes = false;
};

std::string change_text(const ChangedAnswer& change, bool json) {
  if (json) {
    const OutputJson object = {{"step", change.step},     {"prompt", change.prompt},
                               {"text", change.text},     {"answer", change.answer},
                               {"before", change.before}, {"now", change.now},
                               {"why", change.why}};
    return json_text(object);
  }
  return "step " + std::to_string(change.step) + ": " + change.before + " → " + change.now +
         "\n  " + terminal_safe(change.prompt) + "\n  " + terminal_safe(change.text) + "\n";
}

std::string scores_text(const StepScores& scores, bool json) {
  if (json) {
    const OutputJson object = {
        {"step", scores.step},         {"answers", scores.answers},
        {"changed", scores.changed},   {"accuracy_before", scores.accuracy_before},
        {"accuracy", scores.accuracy}, {"reward_before", scores.reward_before},
        {"reward", scores.reward}};
    return json_text(object);
  }
  char line[160];
  std::snprintf(line, sizeof line,
                "step %lld: accuracy %.4f → %.4f, reward %.4f → %.4f, %lld of %lld changed\n",
                static_cast<long long>(scores.step), scores.accuracy_before, scores.accuracy,
                scores.reward_before, scores.reward, static_cast<long long>(scores.changed),
                static_cast<long long>(scores.answers));
  return line;
}

Result<int> rescore_run(const RescoreFlags& flags) {
  ProgressLine line;
  Result<void> printed;
  const auto show = [&](const std::string& text) {
    line.clear();
    if (printed.ok()) printed = print(text);
  };
  RescoreOptions options{.sets = flags.sets,
                         .threads = flags.threads,
                         .progress = line.sink(),
                         .on_step = [&](const StepScores& s) { show(scores_text(s, flags.json)); }};
  if (flags.changes)
    options.on_change = [&](const ChangedAnswer& c) { show(change_text(c, flags.json)); };
  PONDER_TRY(rescore(flags.run, options));
  PONDER_TRY(printed);
  return 0;
}

// --- pipeline ---

Result<int> pipeline(const TrainFlags& flags, Communicator& ranks) {
  const auto observe = [](const PipelineStage& stage) -> std::unique_ptr<RunObserver> {
    print_error("stage " + stage.name + " (" + stage.kind + ")\n");
    return std::make_unique<Dashboard>(stage.name);
  };
  const PipelineEnd end = PONDER_TRY(run_pipeline(flags.recipe, {.out = flags.out,
                                                                 .resume = flags.resume,
                                                                 .sets = flags.sets,
                                                                 .threads = flags.threads,
                                                                 .isa = flags.isa,
                                                                 .seed = flags.seed,
                                                                 .stop = &stop_flag(),
                                                                 .ranks = &ranks,
                                                                 .observer = observe}));
  if (ranks.rank() != 0) return 0;
  if (!end.finished) {
    print_error("stopped; go on with --resume\n");
    return interrupted_exit_status();
  }
  if (!end.sha256.empty()) PONDER_TRY(print("weights sha256: " + end.sha256 + "\n"));
  return 0;
}

}  // namespace

void add_train_sample_command(CLI::App& train, Selection& selection) {
  CLI::App& command = *train.add_subcommand("sample", "Sample answers and keep the right ones");
  auto flags = std::make_shared<SampleFlags>();
  add_train_flags(command, flags->train);
  command.add_flag("--json", flags->json, "Print what was kept as JSON");
  command.footer(
      "Rejection sampling: every answer is judged, and those that are right and fit [select] "
      "become\n"
      "DIR/samples.jsonl, to train on with ponder train sft. A run that was stopped goes on with\n"
      "--resume.\n\n"
      "Examples:\n"
      "  ponder train sample sample.toml --out runs/samples\n"
      "  ponder train sft sft.toml --out runs/sft --set "
      "data.train=$PWD/runs/samples/samples.jsonl");
  command.callback([flags, &selection] {
    selection.command = [flags] {
      return on_ranks([&](Communicator& ranks) { return sample(*flags, ranks); });
    };
  });
}

void add_train_rescore_command(CLI::App& train, Selection& selection) {
  CLI::App& command = *train.add_subcommand("rescore", "Judge the stored answers of a run again");
  auto flags = std::make_shared<RescoreFlags>();
  command.add_option("RUN", flags->run, "Folder of a run of ponder train rl")->required();
  command.add_option("--set", flags->sets, "A reward instead of the run's; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  const auto integer = [](const std::string& text) { return parse_integer(text, 0, 4096, ""); };
  command.add_option("--threads", flags->threads, "Default: one per CPU")
      ->check(checked_by(integer))
      ->type_name("N");
  command.add_flag("--changes", flags->changes, "Print each answer that is judged otherwise");
  command.add_flag("--json", flags->json, "Print one JSON object a line");
  command.footer(
      "Examples:\n"
      "  ponder train rescore runs/rl --changes\n"
      "  ponder train rescore runs/rl --set reward.form=0.5 --json");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return rescore_run(*flags); }; });
}

void add_train_pipeline_command(CLI::App& train, Selection& selection) {
  CLI::App& command = *train.add_subcommand("pipeline", "Run stages one after the other");
  auto flags = std::make_shared<TrainFlags>();
  add_train_flags(command, *flags);
  command.footer(
      "The recipe lists [[stage]]s with name, kind (pretrain, sft, rl, distill, sample,\n"
      "demonstrations), recipe, and settings that may use folders of earlier stages:\n"
      "set = [\"model.path={base}/model\"]. Each stage has a folder in DIR. --set STAGE.KEY=VALUE\n"
      "changes one of them; what is done is not done again with --resume.\n\n"
      "Examples:\n"
      "  ponder train pipeline recipes/tiny-r1.toml --out runs/tiny-r1\n"
      "  ponder train pipeline recipes/tiny-r1.toml --out runs/tiny-r1 --resume");
  command.callback([flags, &selection] {
    selection.command = [flags] {
      return on_ranks([&](Communicator& ranks) { return pipeline(*flags, ranks); });
    };
  });
}

}  // namespace ponder
