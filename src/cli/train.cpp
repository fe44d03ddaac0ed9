// ponder train: the stages of training, each from a recipe.
#include "cli/train.hpp"

#include <CLI/CLI.hpp>

#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/terminal.hpp"
#include "cli/train_dashboard.hpp"
#include "cli/train_rl.hpp"

namespace ponder {
namespace {

Result<RunEnd> train_on_ranks(const StageEntry& stage, const TrainFlags& flags,
                              Communicator& ranks) {
  const Recipe recipe = PONDER_TRY(Recipe::open(flags.recipe, flags.sets));
  Dashboard dashboard{std::string(stage.name)};
  return train(recipe, stage.make,
               {.out = flags.out,
                .resume = flags.resume,
                .threads = flags.threads,
                .isa = flags.isa,
                .seed = flags.seed,
                .stop = &stop_flag(),
                .observer = &dashboard,
                .ranks = &ranks});
}

}  // namespace

Result<int> run_training(const StageEntry& stage, const TrainFlags& flags) {
  const auto ranks = PONDER_TRY(Communicator::create());
  const auto end = train_on_ranks(stage, flags, *ranks);
  if (!end.ok()) {
    // The others may wait for this rank: none of them can go on.
    if (ranks->size() > 1) {
      print_error("ponder: " + terminal_safe(end.error().message()) + "\n");
      ranks->abort(1);
    }
    return Failure{end.error()};
  }
  if (ranks->rank() != 0) return 0;
  if (!end.value().finished) {
    print_error("stopped; a checkpoint is there after step " + std::to_string(end.value().steps) +
                "; go on with --resume\n");
    return interrupted_exit_status();
  }
  PONDER_TRY(print("weights sha256: " + end.value().sha256 + "\n"));
  return 0;
}

void add_train_flags(CLI::App& command, TrainFlags& flags) {
  command.add_option("RECIPE", flags.recipe, "What to train, as TOML")->required();
  command.add_option("--out", flags.out, "Folder for the model, checkpoints and logs")
      ->required()
      ->type_name("DIR");
  command.add_option("--set", flags.sets, "A setting instead of the recipe's; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_flag("--resume", flags.resume, "Go on from the newest checkpoint in DIR, if any");
  const auto integer = [](const std::string& text) { return parse_integer(text, 0, 4096, ""); };
  command.add_option("--threads", flags.threads, "Threads of each rank; default: one per CPU")
      ->check(checked_by(integer))
      ->type_name("N");
  const auto seed = [](const std::string& text) { return parse_seed(text, ""); };
  command
      .add_option_function<std::string>(
          "--seed", [&flags, seed](const std::string& text) { flags.seed = seed(text).value(); },
          "Instead of the recipe's")
      ->check(checked_by(seed))
      ->type_name("N");
  add_isa_flag(command, flags.isa);
}

void add_train_command(CLI::App& app, Selection& selection) {
  CLI::App& train = *app.add_subcommand("train", "Train a model");
  train.require_subcommand(1);
  for (const StageEntry& stage : stage_entries()) {
    CLI::App& command = *train.add_subcommand(std::string(stage.name), std::string(stage.help));
    auto flags = std::make_shared<TrainFlags>();
    add_train_flags(command, *flags);
    const std::string name(stage.name);
    command.footer("Examples:\n  ponder train " + name +
                   " recipe.toml --out runs/first\n  mpirun -n 2 ponder train " + name +
                   " recipe.toml --out runs/first --threads 1\n  ponder train " + name +
                   " recipe.toml --out runs/first --resume");
    command.callback([&stage, flags, &selection] {
      selection.command = [&stage, flags] { return run_training(stage, *flags); };
    });
  }
  add_train_sample_command(train, selection);
  add_train_rescore_command(train, selection);
  add_train_pipeline_command(train, selection);
  add_train_merge_command(train, selection);
  add_train_check_grads_command(train, selection);
  train.footer(
      "Everything that a run makes lies in its folder: metrics.jsonl (one object a step), events "
      "for\nTensorBoard, samples.jsonl, checkpoints/ and in the end model/ (or adapter/ with "
      "LoRA). A run\nthat was stopped or killed goes on with --resume, to the same bytes as if "
      "nothing had happened,\nwhatever the number of threads or ranks. The last line printed is "
      "the hash of the weights.\n\nponder report DIR -o report.html draws the curves.");
}

}  // namespace ponder
