// ponder data run: a pipeline from a file; and the classifier of quality.
#include <CLI/CLI.hpp>

#include "base/file.hpp"
#include "cli/data.hpp"
#include "cli/flags.hpp"
#include "cli/json_output.hpp"
#include "cli/serve_settings.hpp"
#include "data/classify/recall.hpp"
#include "data/run/folder_lock.hpp"
#include "data/run/peers.hpp"
#include "data/steps/recipe.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLongestRecipe = 1 << 20;

struct PipelineFlags {
  DataFlags data;
  std::string recipe;
  bool check = false;
};

Result<int> run_pipeline(PipelineFlags& flags) {
  const std::string text = PONDER_TRY(read_file(flags.recipe, kLongestRecipe));
  DataRecipe recipe = PONDER_TRY(parse_recipe(text, flags.recipe));
  if (flags.check) {
    PONDER_TRY(print(std::to_string(recipe.steps.size()) + " steps, all keys are known\n"));
    return 0;
  }
  ProgressLine line;
  PONDER_TRY(prepare_data_flags(flags.data, line));
  RecipeRun run;
  run.run = flags.data.run;
  run.memory = flags.data.memory_bytes;
  run.longest_record = flags.data.input.longest_record;
  run.tokenizer = load_tokenizer;
  OrderedJson all = OrderedJson::array();
  run.done = [&](const std::string& folder, const StepTally& tally) -> Result<void> {
    line.clear();
    OrderedJson json = {{"folder", folder}};
    const OrderedJson counts = tally.counts();
    for (const auto& [key, value] : counts.items()) json[key] = value;
    all.push_back(json);
    if (flags.data.json || flags.data.run.rank != 0) return {};
    return print(
        folder + ": " + std::to_string(tally.in) + " in, " + std::to_string(tally.kept) + " kept" +
        (tally.quarantined > 0 ? ", " + std::to_string(tally.quarantined) + " quarantined\n"
                               : "\n"));
  };
  const Place place = place_of_run(flags.data.run);
  const std::string mail = recipe.output + "/.ponder";
  const FolderLock lock = PONDER_TRY(FolderLock::take(recipe.output, place.rank));
  const auto peers = PONDER_TRY(make_peers(place, mail, flags.data.run.progress));
  ThreadPool pool(flags.data.run.threads);
  PONDER_TRY(peers->guard(run_recipe(std::move(recipe), run, *peers, pool)));
  if (flags.data.json && peers->rank() == 0) PONDER_TRY(print(json_text({{"steps", all}})));
  return 0;
}

struct TrainFlags {
  std::vector<std::string> good, bad;
  QualityTraining training;
  std::string model, text_field = "text";
};

Result<int> train_classifier(const TrainFlags& flags) {
  InputOptions good, bad;
  good.paths = flags.good;
  bad.paths = flags.bad;
  good.fields.text = bad.fields.text = flags.text_field;
  ThreadPool pool;
  const uint64_t examples = PONDER_TRY(train_quality(flags.training, good, bad, flags.model, pool));
  PONDER_TRY(print(flags.model + ": trained on " + std::to_string(examples) + " examples\n"));
  return 0;
}

struct ApplyFlags {
  DataFlags data;
  QualityOptions options;
  std::string model;
};

Result<int> apply_classifier(ApplyFlags& flags) {
  ProgressLine line;
  PONDER_TRY(prepare_data_flags(flags.data, line));
  const auto inputs = PONDER_TRY(find_inputs(flags.data.input));
  flags.data.run.settings = quality_settings(flags.options, flags.model);
  ThreadPool pool(flags.data.run.threads);
  QualityStep step = PONDER_TRY(
      quality_step(flags.options, flags.model, flags.data.input, inputs, flags.data.run, pool));
  return run_data_step(flags.data, step);
}

void add_training_options(CLI::App& command, QualityTraining& t) {
  command.add_option("--dim", t.dimension, "Size of vectors (256)")->check(CLI::Range(1, 4096));
  command.add_option("--lr", t.learning_rate, "Learning rate (0.1)")->check(CLI::Range(1e-6, 10.0));
  command.add_option("--word-ngrams", t.word_ngrams, "Words in a row (3)")
      ->check(CLI::Range(1, 10));
  command.add_option("--min-count", t.least_count, "Rarest word (3)")
      ->check(CLI::Range(1, 1000000));
  command.add_option("--epochs", t.epochs, "Passes over the examples (3)")
      ->check(CLI::Range(1, 1000));
  command.add_option("--buckets", t.buckets, "Of hashed n-grams (2000000)")
      ->check(CLI::Range(1, 100'000'000));
  command.add_option("--seed", t.seed, "Of the training (1)");
}

void add_train(CLI::App& classify, Selection& selection) {
  CLI::App& command = *classify.add_subcommand("train", "Train fastText on good and bad examples");
  auto flags = std::make_shared<TrainFlags>();
  command.add_option("--good", flags->good, "Documents to find more of")->required();
  command.add_option("--bad", flags->bad, "Other documents")->required();
  command.add_option("-o,--output", flags->model, "The model")->required()->type_name("FILE");
  command.add_option("--text-field", flags->text_field, "Field with the text (text)");
  add_training_options(command, flags->training);
  command.footer("The defaults are DeepSeekMath's.");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return train_classifier(*flags); }; });
}

struct RecallFlags {
  DataFlags data;
  RecallOptions options;
};

Result<int> recall_documents(RecallFlags& flags) {
  ProgressLine line;
  PONDER_TRY(prepare_data_flags(flags.data, line));
  if (flags.data.run.folder == "-" || flags.data.run.world > 1)
    return Failure{{.what = "recall is the work of one process and needs a folder",
                    .where = "ponder data classify recall"}};
  flags.options.seed = static_cast<uint64_t>(flags.options.training.seed);
  const auto inputs = PONDER_TRY(find_inputs(flags.data.input));
  const FolderLock lock = PONDER_TRY(FolderLock::take(flags.data.run.folder, 0));
  ThreadPool pool(flags.data.run.threads);
  const OrderedJson rounds =
      PONDER_TRY(recall_step(flags.options, flags.data.input, inputs, flags.data.run, pool));
  line.clear();
  const RunFolder folder = PONDER_TRY(RunFolder::open(flags.data.run, "main", inputs));
  return report_counts(flags.data, PONDER_TRY(folder.total(flags.data.run.samples)), false, rounds);
}

void add_recall(CLI::App& classify, Selection& selection) {
  CLI::App& command = *classify.add_subcommand(
      "recall", "Find more like a seed, in rounds that widen it by sites, as DeepSeekMath did");
  auto flags = std::make_shared<RecallFlags>();
  add_data_flags(command, flags->data);
  RecallOptions& o = flags->options;
  command.add_option("--good", o.seed_files, "Documents to find more of; may be repeated")
      ->required()
      ->allow_extra_args(false);
  command.add_option("--fraction", o.fraction, "Share of the corpus that is kept (0.1)")
      ->check(CLI::Range(1e-9, 1.0));
  command.add_option("--rounds", o.rounds, "At most (4)")->check(CLI::Range(1, 100));
  command.add_option("--enough", o.enough, "End when this share was found the round before (0.98)")
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--site-share", o.site_share,
                  "Sites of which more is found give all else to the examples (0.1)")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--site-documents", o.site_documents, "Least documents of a site (10)")
      ->check(CLI::Range(1, 1'000'000'000));
  command.add_option("--negatives", o.negatives, "Random documents as bad examples (500000)");
  add_training_options(command, o.training);
  command.footer(
      "Documents need a field with the address (--url-field). What is kept has a field quality;\n"
      "manifest.json tells of each round.");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return recall_documents(*flags); }; });
}

}  // namespace

void add_data_classify(CLI::App& data, Selection& selection) {
  CLI::App& classify = *data.add_subcommand("classify", "Keep what a classifier finds good");
  classify.require_subcommand(1);
  add_train(classify, selection);
  add_recall(classify, selection);
  CLI::App& command = *classify.add_subcommand("apply", "Score documents and keep the best");
  auto flags = std::make_shared<ApplyFlags>();
  add_data_flags(command, flags->data);
  command.add_option("-m,--model", flags->model, "A fastText model (.bin)")->required();
  command.add_option("--label", flags->options.label, "The label that counts (good)");
  command.add_option("--threshold", flags->options.threshold, "Least probability (0.5)")
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--keep-fraction", flags->options.keep_fraction,
                  "Choose the threshold so that this share is kept")
      ->check(CLI::Range(0.0, 1.0));
  command.callback(
      [flags, &selection] { selection.command = [flags] { return apply_classifier(*flags); }; });
}

void add_data_run(CLI::App& data, Selection& selection) {
  CLI::App& command = *data.add_subcommand("run", "Run a pipeline from a file");
  auto flags = std::make_shared<PipelineFlags>();
  command.add_option("RECIPE", flags->recipe, "TOML: input, output, [[step]]")->required();
  command.add_flag("--check", flags->check, "Check the file, and end");
  add_process_flags(command, flags->data);
  command.footer(
      "Started again it goes on with the first step that is not finished.\n\n"
      "Example of a file:\n"
      "  input = [\"raw/*.jsonl.zst\"]\n"
      "  output = \"clean\"\n"
      "  [[step]]\n"
      "  type = \"filter\"\n"
      "  preset = \"fineweb-paper\"\n"
      "  [[step]]\n"
      "  type = \"dedup-near\"\n"
      "  [[step]]\n"
      "  type = \"decontaminate\"\n"
      "  against = [\"HumanEval.jsonl\"]\n"
      "  [[step]]\n"
      "  type = \"pack\"\n"
      "  tokenizer = \"tokenizer.json\"\n"
      "  length = 1024");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return run_pipeline(*flags); }; });
}

}  // namespace ponder
