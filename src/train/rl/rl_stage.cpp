#include "train/rl/rl_stage.hpp"

#include <algorithm>

#include "base/checked_math.hpp"
#include "judge/sandbox/sandbox.hpp"
#include "model/kv_pool.hpp"
#include "train/rl/evaluation.hpp"
#include "train/rl/held_out.hpp"
#include "train/rl/rescore.hpp"
#include "train/rl/rl_update.hpp"
#include "train/rl/sampler.hpp"
#include "train/schedule.hpp"

namespace ponder {
namespace {

constexpr size_t kShownSamples = 2;  // transcripts of a step

// What a stage is made of before there is a model.
struct RlSettings {
  RlOptions options;
  Schedule schedule;
  PromptFormat format;
  ProblemSplit problems;
  std::optional<Sandbox> sandbox;
};

// Sums over a step's answers.
struct Earned {
  double reward = 0.0, accuracy = 0.0, form = 0.0, language = 0.0, command = 0.0, overlong = 0.0;
  double tokens = 0.0, prompt_tokens = 0.0, answers = 0.0, judged = 0.0, truncated = 0.0;
};

Earned earned(std::span<const Rollout> rollouts) {
  Earned sums;
  for (const Rollout& rollout : rollouts) {
    sums.reward += rollout.reward.total.value_or(0.0);
    sums.judged += rollout.reward.total ? 1.0 : 0.0;
    sums.accuracy += rollout.reward.accuracy;
    sums.form += rollout.reward.form;
    sums.language += rollout.reward.language;
    sums.command += rollout.reward.command;
    sums.overlong += rollout.reward.overlong;
    sums.tokens += static_cast<double>(rollout.answer.tokens.size());
    sums.prompt_tokens += static_cast<double>(rollout.prompt.size());
    sums.truncated += rollout.answer.ended ? 0.0 : 1.0;
    sums.answers += 1.0;
  }
  return sums;
}

class RlStage : public Stage {
 public:
  explicit RlStage(RlSettings settings)
      : settings_(std::move(settings)),
        options_(settings_.options),
        rewarder_(options_.reward, settings_.sandbox ? &*settings_.sandbox : nullptr) {}

  int64_t steps() const override { return options_.steps; }
  std::vector<MemoryTable::Row> memory(const Config& config) override;
  Result<void> begin(TrainRun& run) override;
  Result<Figures> step(TrainRun& run, int64_t step) override;
  Result<Figures> evaluate(TrainRun& run) override;
  bool evaluates_after(int64_t done) const override {
    const EvaluationOptions& evaluation = options_.evaluation;
    if (settings_.problems.held_out.empty()) return false;
    return done == options_.steps || (evaluation.every > 0 && done % evaluation.every == 0);
  }
  std::vector<NamedFloats> tensors() override {
    if (reference_.empty()) return {};
    return {{.name = "reference", .values = reference_.values()}};
  }

 private:
  Sampler sampler(TrainRun& run, std::string_view what);
  Result<std::vector<Rollout>> sample_step(TrainRun& run, int64_t step, Figures& figures);
  Result<void> keep(TrainRun& run, int64_t step, const std::vector<Rollout>& rollouts);
  bool needs_reference() const {
    return options_.algorithm.objective.kl != KlKind::kNone ||
           options_.algorithm.kl_in_reward > 0.0;
  }

  RlSettings settings_;
  RlOptions& options_;
  Rewarder rewarder_;
  std::unique_ptr<RolloutEngine> engine_;
  Reference reference_;
};

std::vector<MemoryTable::Row> RlStage::memory(const Config& config) {
  const SamplingPlan& plan = options_.sampling;
  const int64_t pages = (ceil_div(plan.context, kKvPage) + 1) * plan.parallel;
  std::vector<MemoryTable::Row> rows = {
      {.what = "cache of rollouts",
       .bytes = static_cast<uint64_t>(pages) * KvPool::page_bytes(config, DType::kF32),
       .mend = "set a smaller rl.parallel or rl.context"},
      {.what = "activations",
       .bytes = activation_bytes(config, std::max(options_.learning.leaf_tokens, plan.context),
                                 options_.learning.recompute),
       .mend = options_.learning.recompute ? "set a smaller rl.leaf_tokens"
                                           : "set rl.recompute = true"}};
  if (needs_reference())
    rows.push_back({.what = "reference",
                    .bytes = static_cast<uint64_t>(count_parameters(config).total) * sizeof(float),
                    .mend = "set rl.kl = \"none\""});
  return rows;
}

Result<void> RlStage::begin(TrainRun& run) {
  const SamplingPlan& plan = options_.sampling;
  const Tokenizer tokenizer = run.tokenizer();
  Trainer& trainer = run.trainer();
  engine_ = PONDER_TRY(RolloutEngine::create(
      trainer.context(), trainer.model().model(),
      {.context = plan.context,
       .max_tokens = plan.max_tokens,
       .parallel = plan.parallel,
       .is_end = [tokenizer](int32_t token) { return tokenizer.is_end(token); }}));
  if (needs_reference()) reference_.refresh(trainer.model());
  Result<void> written;
  if (run.ranks().rank() == 0) written = write_reward_file(run.folder(), options_.reward);
  return agreed(run.ranks(), written);
}

Sampler RlStage::sampler(TrainRun& run, std::string_view what) {
  return Sampler(
      {.tokenizer = &run.tokenizer(),
       .format = &settings_.format,
       .engine = engine_.get(),
       .rewarder = &rewarder_,
       .ranks = &run.ranks(),
       .pool = run.trainer().context().pool,
       .stop = [&run] { return run.stopping(); },
       .progress = [&run, what](int64_t done, int64_t total) { run.progress(what, done, total); }});
}

// The answers of a step. With dynamic sampling more problems are tried while too few groups differ,
// and only those that do are kept.
Result<std::vector<Rollout>> RlStage::sample_step(TrainRun& run, int64_t step, Figures& figures) {
  const SamplingPlan& plan = options_.sampling;
  Sampler sampling = sampler(run, "rollouts");
  std::vector<Rollout> kept;
  int64_t groups = 0, tried = 0, useful = 0;
  for (int64_t round = 0; round < plan.most_rounds && groups < plan.prompts; ++round) {
    SampleRequest request{.seed = run.seed(),
                          .step = static_cast<uint64_t>(step),
                          .samples = static_cast<int>(plan.samples),
                          .temperature = static_cast<float>(plan.temperature),
                          .begun = plan.begun};
    for (int64_t i = 0; i < plan.prompts; ++i) {
      const int64_t index = (step * plan.most_rounds + round) * plan.prompts + i;
      request.problems.push_back({index, PONDER_TRY(settings_.problems.training.problem(index))});
    }
    auto rollouts = PONDER_TRY(sampling.sample(request));
    const auto samples = static_cast<size_t>(plan.samples);
    for (size_t begin = 0; begin < rollouts.size(); begin += samples) {
      std::vector<std::optional<double>> rewards;
      for (size_t i = begin; i < begin + samples; ++i) rewards.push_back(rollouts[i].reward.total);
      const bool differ = differs(rewards);
      ++tried;
      useful += differ ? 1 : 0;
      if (options_.algorithm.dynamic_sampling && !differ) continue;
      if (groups == plan.prompts) continue;
      ++groups;
      std::move(rollouts.begin() + static_cast<int64_t>(begin),
                rollouts.begin() + static_cast<int64_t>(begin + samples), std::back_inserter(kept));
    }
  }
  figures.emplace_back("groups", static_cast<double>(groups));
  figures.emplace_back("useful_groups", static_cast<double>(useful) / static_cast<double>(tried));
  return kept;
}

// Every rollout, and a few to look at.
Result<void> RlStage::keep(TrainRun& run, int64_t step, const std::vector<Rollout>& rollouts) {
  if (run.ranks().rank() == 0) {
    for (size_t i = 0; i < std::min(kShownSamples, rollouts.size()); ++i) {
      const Rollout& rollout = rollouts[i];
      run.sample(step, {{"prompt", rollout.problem.prompt},
                        {"text", rollout.text},
                        {"answer", rollout.problem.answer},
                        {"verdict", verdict_name(rollout.reward.judgement.verdict)},
                        {"reward", rollout.reward.total.value_or(0.0)}});
    }
  }
  if (!options_.store || rollouts.empty()) return {};
  Result<void> written;
  if (run.ranks().rank() == 0) written = write_rollouts(rollout_file(run.folder(), step), rollouts);
  return agreed(run.ranks(), written);
}

Result<Figures> RlStage::step(TrainRun& run, int64_t step) {
  Figures counts;
  if (step == 0 && options_.evaluation.first && !settings_.problems.held_out.empty()) {
    for (auto& [name, value] : PONDER_TRY(evaluate(run)))
      counts.emplace_back("start_" + name, value);
  }
  const auto rollouts = PONDER_TRY(sample_step(run, step, counts));
  const double rate = settings_.schedule.at(step);
  const LearnFigures learned = PONDER_TRY(learn(run, rollouts, options_, rate, reference_));
  engine_->forget();
  PONDER_TRY(keep(run, step, rollouts));
  const int64_t every = options_.learning.reference_every;
  if (!reference_.empty() && every > 0 && (step + 1) % every == 0)
    reference_.refresh(run.trainer().model());
  const Earned sums = earned(rollouts);
  const double answers = std::max(sums.answers, 1.0);
  const double rows = std::max<double>(static_cast<double>(learned.all.rows), 1.0);
  const double first_rows = std::max<double>(static_cast<double>(learned.first.rows), 1.0);
  Figures figures = {{"reward", sums.reward / std::max(sums.judged, 1.0)},
                     {"accuracy", sums.accuracy / answers},
                     {"length", sums.tokens / answers},
                     {"truncated", sums.truncated / answers},
                     {"entropy", learned.entropy},
                     {"loss", learned.first.loss},
                     {"ratio_error", learned.first.ratio_error},
                     {"clip_fraction", static_cast<double>(learned.all.clipped) / rows},
                     {"change", learned.all.change / rows},
                     {"gradient_norm", learned.gradient_norm},
                     {"learning_rate", rate},
                     {"tokens", sums.tokens + sums.prompt_tokens}};
  const RewardOptions& reward = options_.reward;
  if (!reference_.empty()) figures.emplace_back("kl", learned.first.kl / first_rows);
  if (reward.form != 0.0) figures.emplace_back("form", sums.form / answers);
  if (reward.language != 0.0) figures.emplace_back("language", sums.language / answers);
  if (reward.command != 0.0) figures.emplace_back("command", sums.command / answers);
  if (reward.overlong != 0.0) figures.emplace_back("overlong", sums.overlong / answers);
  if (sums.judged < sums.answers) figures.emplace_back("unjudged", sums.answers - sums.judged);
  if (learned.load_imbalance > 0.0) figures.emplace_back("load_imbalance", learned.load_imbalance);
  if (learned.skipped > 0) figures.emplace_back("skipped", static_cast<double>(learned.skipped));
  figures.insert(figures.end(), counts.begin(), counts.end());
  return figures;
}

Result<Figures> RlStage::evaluate(TrainRun& run) {
  Sampler sampling = sampler(run, "evaluating");
  return evaluate_policy(sampling, settings_.problems.held_out, options_.evaluation,
                         static_cast<float>(options_.sampling.temperature));
}

}  // namespace

Result<std::unique_ptr<Stage>> make_rl_stage(TrainRun& run) {
  const Recipe& recipe = run.recipe();
  RlOptions options = PONDER_TRY(read_rl_options(recipe));
  if (options.sampling.context > run.config().context)
    return Failure{
        {.what = "the model knows " + std::to_string(run.config().context) + " positions",
         .where = recipe.where("rl.context"),
         .mend = "set rl.context to no more than that"}};
  const Schedule schedule =
      PONDER_TRY(read_schedule(recipe.table("optimizer"), options.steps, ScheduleShape::kConstant));
  auto format =
      PONDER_TRY(PromptFormat::create(run.tokenizer(), options.sampling.prompt,
                                      options.sampling.system, recipe.where("rl.prompt")));
  auto problems = PONDER_TRY(split_problems(recipe, options.evaluation, run.seed()));
  std::optional<Sandbox> sandbox;
  if (problems.training.has_task("code")) sandbox.emplace(PONDER_TRY(Sandbox::create()));
  return std::unique_ptr<Stage>(
      std::make_unique<RlStage>(RlSettings{.options = std::move(options),
                                           .schedule = schedule,
                                           .format = std::move(format),
                                           .problems = std::move(problems),
                                           .sandbox = std::move(sandbox)}));
}

}  // namespace ponder
