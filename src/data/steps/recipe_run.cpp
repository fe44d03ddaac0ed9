#include <cstdio>
#include <filesystem>

#include "data/look/look_steps.hpp"
#include "data/steps/filter_step.hpp"
#include "data/steps/recipe.hpp"

namespace ponder {
namespace {

// Runs one step after the other; all processes go from step to step together.
class RecipeRunner {
 public:
  RecipeRunner(RecipeRun& options, Peers& peers, ThreadPool& pool)
      : options_(options), peers_(peers), pool_(pool) {}

  Result<StepTally> run(RecipeStep& step, const InputOptions& input) {
    const auto inputs = PONDER_TRY(find_inputs(input));
    if (step.type.starts_with("dedup-")) {
      step.dedup.memory = options_.memory;
      options_.run.settings = dedup_settings(step.dedup);
      const StepTally tally =
          PONDER_TRY(deduplicate(step.dedup, input, inputs, options_.run, peers_, pool_));
      PONDER_TRY(peers_.share(""));  // rank 0 has written the manifest
      return tally;
    }
    if (step.type == "pack") return pack(step, input, inputs);
    if (step.type == "decontaminate") return decontaminate(step, input, inputs);
    if (step.type == "filter") {
      FilterStep filter = PONDER_TRY(
          FilterStep::create(std::move(step.filters), step.record, options_.run.threads));
      options_.run.settings = {
          {"step", "filter"}, {"record", step.record}, {"filters", filter.settings()}};
      return map(filter, input, inputs);
    }
    if (step.type == "classify") {
      options_.run.settings = quality_settings(step.quality, step.model);
      QualityStep quality =
          PONDER_TRY(quality_step(step.quality, step.model, input, inputs, options_.run, pool_));
      return map(quality, input, inputs);
    }
    if (step.type == "recall") return recall(step, input, inputs);
    SampleStep sample(step.seed, SampleStep::limit_of(step.fraction));
    options_.run.settings = {{"step", "sample"}, {"seed", step.seed}, {"fraction", step.fraction}};
    return map(sample, input, inputs);
  }

 private:
  Result<StepTally> map(DocumentStep& step, const InputOptions& input,
                        const std::vector<CorpusFile>& inputs) {
    const RunFolder folder = PONDER_TRY(RunFolder::open(options_.run, "main", inputs));
    PONDER_TRY(run_shards(step, input, inputs, options_.run, folder, pool_));
    PONDER_TRY(peers_.share(""));
    if (peers_.rank() == 0) PONDER_TRY(folder.finish(options_.run, OrderedJson::object()));
    PONDER_TRY(peers_.share(""));
    return folder.total(options_.run.samples);
  }

  Result<StepTally> decontaminate(const RecipeStep& step, const InputOptions& input,
                                  const std::vector<CorpusFile>& inputs) {
    EvaluationIndex index(step.decontaminate.ngram, step.decontaminate.shortest);
    InputOptions files;
    files.paths = step.against;
    for (const CorpusFile& file : PONDER_TRY(find_inputs(files)))
      PONDER_TRY(index.add_file(file.path, step.fields));
    options_.run.settings =
        decontaminate_settings(step.decontaminate, step.against, step.fields, index);
    Decontaminate decontaminate(index, step.decontaminate);
    return map(decontaminate, input, inputs);
  }

  Result<StepTally> recall(const RecipeStep& step, const InputOptions& input,
                           const std::vector<CorpusFile>& inputs) {
    if (peers_.world() > 1)
      return Failure{{.what = "recall is the work of one process", .where = "recall"}};
    PONDER_TRY(recall_step(step.recall, input, inputs, options_.run, pool_));
    return PONDER_TRY(RunFolder::open(options_.run, "main", inputs)).total(options_.run.samples);
  }

  Result<StepTally> pack(const RecipeStep& step, const InputOptions& input,
                         const std::vector<CorpusFile>& inputs) {
    const Tokenizer tokenizer = PONDER_TRY(options_.tokenizer(step.model));
    options_.run.settings = pack_settings(step.pack, step.model, tokenizer);
    return PONDER_TRY(pack_documents(step.pack, tokenizer, input, inputs, options_.run, pool_))
        .tally;
  }

  RecipeRun& options_;
  Peers& peers_;
  ThreadPool& pool_;
};

}  // namespace

Result<void> run_recipe(DataRecipe recipe, RecipeRun options, Peers& peers, ThreadPool& pool) {
  InputOptions input = recipe.input;
  options.run.packing = PONDER_TRY(parse_packing(recipe.compress));
  input.longest_record = options.longest_record;
  options.run.reading = reading_settings(input);
  RecipeRunner runner(options, peers, pool);
  for (size_t i = 0; i < recipe.steps.size(); ++i) {
    char number[32];
    std::snprintf(number, sizeof(number), "%02zu-", i + 1);
    options.run.folder =
        (std::filesystem::path(recipe.output) / (number + recipe.steps[i].type)).string();
    options.run.parquet = recipe.output_format == "parquet" && i + 1 == recipe.steps.size();
    const StepTally tally = PONDER_TRY(runner.run(recipe.steps[i], input));
    if (options.done) PONDER_TRY(options.done(options.run.folder, tally));
    input.paths = {options.run.folder};
    input.format = "auto";
  }
  return {};
}

}  // namespace ponder
