#include "train/rl/sample_run.hpp"

#include <algorithm>

#include "base/checked_math.hpp"
#include "base/file.hpp"
#include "judge/sandbox/sandbox.hpp"
#include "model/model.hpp"
#include "ops/runtime.hpp"
#include "train/rl/held_out.hpp"
#include "train/rl/sampler.hpp"

namespace ponder {
namespace {

constexpr uint64_t kMostRecipe = 1 << 20;

struct SampleSettings {
  std::filesystem::path model;
  uint64_t seed = 0;
  int64_t problems = 0;
  SamplingPlan plan;
  RewardOptions reward;
  SelectionOptions selection;
  EvaluationOptions evaluation;
  std::string form_where;
};

Result<SampleSettings> read_settings(const Recipe& recipe, const SampleRunOptions& options) {
  SampleSettings settings;
  const Recipe sample = recipe.table("sample");
  settings.model = PONDER_TRY(recipe.path("model.path", std::nullopt));
  settings.seed = static_cast<uint64_t>(PONDER_TRY(recipe.integer("seed", 0, {0, INT64_MAX})));
  if (options.seed) settings.seed = *options.seed;
  settings.problems = PONDER_TRY(sample.integer("problems", std::nullopt, {1, 1 << 28}));
  settings.plan = PONDER_TRY(read_sampling_plan(sample));
  settings.reward = PONDER_TRY(read_reward(recipe.table("reward")));
  settings.reward.most_tokens = settings.plan.max_tokens;
  settings.selection = PONDER_TRY(read_selection(recipe.table("select")));
  settings.evaluation = PONDER_TRY(read_evaluation(recipe.table("evaluation")));
  settings.form_where = sample.where("prompt");
  return settings;
}

// A folder belongs to one recipe: batches of another would be taken for its own.
Result<void> claim_folder(const std::filesystem::path& out, const std::string& known_by,
                          bool resume) {
  std::error_code error;
  std::filesystem::create_directories(out, error);
  if (error) return Failure{{.what = error.message(), .where = out.string()}};
  const std::filesystem::path file = out / "recipe.txt";
  if (!std::filesystem::exists(file, error)) return write_file(file, known_by);
  if (!resume)
    return Failure{{.what = "there is a run already",
                    .where = out.string(),
                    .mend = "go on with --resume, or name another folder"}};
  if (PONDER_TRY(read_file(file, kMostRecipe)) != known_by)
    return Failure{{.what = "the run in this folder has other settings",
                    .where = file.string(),
                    .mend = "use its recipe, or another folder"}};
  return {};
}

class SampleRun {
 public:
  SampleRun(SampleSettings settings, const SampleRunOptions& options, ProblemStream problems,
            Communicator& ranks)
      : settings_(std::move(settings)),
        options_(options),
        problems_(std::move(problems)),
        ranks_(ranks) {}

  Result<void> sample_all();
  Result<SelectionCounts> select();

 private:
  int64_t batches() const { return ceil_div(settings_.problems, settings_.plan.prompts); }
  bool done(int64_t batch) const {
    std::error_code ignored;
    return std::filesystem::exists(rollout_file(options_.out, batch), ignored);
  }
  Result<void> sample_batch(Sampler& sampler, int64_t batch);

  SampleSettings settings_;
  const SampleRunOptions& options_;
  ProblemStream problems_;
  Communicator& ranks_;
  int64_t batch_ = 0;  // that is being sampled
};

Result<void> SampleRun::sample_batch(Sampler& sampler, int64_t batch) {
  const SamplingPlan& plan = settings_.plan;
  SampleRequest request{.seed = settings_.seed,
                        .samples = static_cast<int>(plan.samples),
                        .temperature = static_cast<float>(plan.temperature),
                        .begun = plan.begun};
  const int64_t end = std::min((batch + 1) * plan.prompts, settings_.problems);
  for (int64_t i = batch * plan.prompts; i < end; ++i)
    request.problems.push_back({i, PONDER_TRY(problems_.problem(i))});
  const auto rollouts = PONDER_TRY(sampler.sample(request));
  Result<void> written;
  if (ranks_.rank() == 0) written = write_rollouts(rollout_file(options_.out, batch), rollouts);
  return agreed(ranks_, written);
}

Result<void> SampleRun::sample_all() {
  const SamplingPlan& plan = settings_.plan;
  const Runtime runtime =
      PONDER_TRY(Runtime::create({.threads = options_.threads, .isa = options_.isa}));
  const Model model = PONDER_TRY(Model::open(settings_.model, runtime.context()));
  const Tokenizer tokenizer = PONDER_TRY(Tokenizer::load(settings_.model));
  const PromptFormat format =
      PONDER_TRY(PromptFormat::create(tokenizer, plan.prompt, plan.system, settings_.form_where));
  std::optional<Sandbox> sandbox;
  if (problems_.has_task("code")) sandbox.emplace(PONDER_TRY(Sandbox::create()));
  Rewarder rewarder(settings_.reward, sandbox ? &*sandbox : nullptr);
  const auto engine = PONDER_TRY(RolloutEngine::create(
      runtime.context(), model,
      {.context = std::min(plan.context, model.config().context),
       .max_tokens = plan.max_tokens,
       .parallel = plan.parallel,
       .is_end = [tokenizer](int32_t token) { return tokenizer.is_end(token); }}));
  const auto progress = [&](int64_t answers, int64_t) {
    if (!options_.progress || ranks_.rank() != 0) return;
    const int64_t before = batch_ * plan.prompts * plan.samples;
    options_.progress({.what = "sampling",
                       .done = static_cast<uint64_t>(before + answers * ranks_.size()),
                       .total = static_cast<uint64_t>(settings_.problems * plan.samples),
                       .unit = "answers"});
  };
  Sampler sampler({.tokenizer = &tokenizer,
                   .format = &format,
                   .engine = engine.get(),
                   .rewarder = &rewarder,
                   .ranks = &ranks_,
                   .pool = runtime.context().pool,
                   .stop = options_.stop,
                   .progress = progress});
  for (batch_ = 0; batch_ < batches(); ++batch_) {
    // Ranks may not see each other's files, so rank 0 says what is there.
    if (ranks_.any(ranks_.rank() == 0 && done(batch_))) continue;
    PONDER_TRY(sample_batch(sampler, batch_));
  }
  return {};
}

Result<SelectionCounts> SampleRun::select() {
  SampleSelection selection(settings_.selection);
  AtomicFile file = PONDER_TRY(AtomicFile::create(options_.out / "samples.jsonl"));
  Result<void> written;
  for (int64_t batch = 0; batch < batches(); ++batch) {
    PONDER_TRY(read_rollouts(rollout_file(options_.out, batch), [&](const Rollout& rollout) {
      const std::string line = selection.add(rollout);
      if (!line.empty()) written = file.write(line + "\n");
      return written.ok();
    }));
    if (!written.ok()) return Failure{written.error()};
  }
  PONDER_TRY(file.commit());
  const SelectionCounts& counts = selection.counts();
  const OrderedJson report = {{"problems", counts.problems}, {"solved", counts.solved},
                              {"answers", counts.answers},   {"wrong", counts.wrong},
                              {"unfit", counts.unfit},       {"duplicates", counts.duplicates},
                              {"surplus", counts.surplus},   {"kept", counts.kept}};
  PONDER_TRY(write_file(options_.out / "report.json", report.dump(1) + "\n"));
  return counts;
}

}  // namespace

Result<SelectionCounts> run_sampling(const Recipe& recipe, const SampleRunOptions& options) {
  SampleSettings settings = PONDER_TRY(read_settings(recipe, options));
  ProblemSplit split = PONDER_TRY(split_problems(recipe, settings.evaluation, settings.seed));
  PONDER_TRY(recipe.finish());
  const std::string known_by =
      "seed of the run: " + std::to_string(settings.seed) + "\n" + recipe.resolved();
  const std::unique_ptr<Communicator> alone = Communicator::alone();
  Communicator& ranks = options.ranks != nullptr ? *options.ranks : *alone;
  Result<void> claimed;
  if (ranks.rank() == 0) claimed = claim_folder(options.out, known_by, options.resume);
  PONDER_TRY(agreed(ranks, claimed));
  SampleRun run(std::move(settings), options, std::move(split.training), ranks);
  PONDER_TRY(run.sample_all());
  if (ranks.rank() != 0) return SelectionCounts{};
  return run.select();
}

}  // namespace ponder
