#include "train/rl/rescore.hpp"

#include <optional>

#include "base/file.hpp"
#include "base/thread_pool.hpp"
#include "judge/sandbox/sandbox.hpp"
#include "train/rl/store.hpp"

namespace ponder {
namespace {

std::string_view form_name(FormKind form) {
  switch (form) {
    case FormKind::kAny:
      return "any";
    case FormKind::kThink:
      return "think";
    case FormKind::kThinkAnswer:
      return "think_answer";
  }
  return "";
}

class Rescorer {
 public:
  Rescorer(RewardOptions reward, const RescoreOptions& options)
      : options_(options), reward_(std::move(reward)), pool_(options.threads) {}

  Result<void> step(const std::filesystem::path& file, int64_t step);

 private:
  Result<Rewarder*> rewarder(const std::vector<Rollout>& rollouts);

  const RescoreOptions& options_;
  RewardOptions reward_;
  ThreadPool pool_;
  std::optional<Sandbox> sandbox_;
  std::optional<Rewarder> rewarder_;
};

// Made when the first answers are known, since only code needs a sandbox.
Result<Rewarder*> Rescorer::rewarder(const std::vector<Rollout>& rollouts) {
  bool code = false;
  for (const Rollout& rollout : rollouts) code = code || rollout.problem.task == "code";
  if (code && !sandbox_) {
    sandbox_.emplace(PONDER_TRY(Sandbox::create()));
    rewarder_.reset();
  }
  if (!rewarder_) rewarder_.emplace(reward_, sandbox_ ? &*sandbox_ : nullptr);
  return &*rewarder_;
}

Result<void> Rescorer::step(const std::filesystem::path& file, int64_t step) {
  std::vector<Rollout> rollouts;
  PONDER_TRY(read_rollouts(file, [&](Rollout rollout) {
    rollouts.push_back(std::move(rollout));
    return true;
  }));
  Rewarder& judge = *PONDER_TRY(rewarder(rollouts));
  std::vector<Reward> rewards(rollouts.size());
  const auto judged = [](const Rollout& rollout) {
    return JudgedText{.text = rollout.text,
                      .starts_inside = rollout.starts_inside,
                      .tokens = std::ssize(rollout.answer.tokens),
                      .seed = rollout.seed};
  };
  pool_.run(std::ssize(rollouts), [&](int64_t i, int) {
    const auto index = static_cast<size_t>(i);
    rewards[index] = judge.judge(rollouts[index].problem, judged(rollouts[index]));
  });
  StepScores scores{.step = step, .answers = std::ssize(rollouts)};
  for (size_t i = 0; i < rollouts.size(); ++i) {
    const Rollout& rollout = rollouts[i];
    if (judge.has_command()) judge.ask_command(rollout.problem, judged(rollout), rewards[i]);
    const double share = 1.0 / static_cast<double>(rollouts.size());
    scores.accuracy_before += share * rollout.reward.accuracy;
    scores.accuracy += share * rewards[i].accuracy;
    scores.reward_before += share * rollout.reward.total.value_or(0.0);
    scores.reward += share * rewards[i].total.value_or(0.0);
    const Judgement& before = rollout.reward.judgement;
    const Judgement& now = rewards[i].judgement;
    if (before.verdict == now.verdict) continue;
    ++scores.changed;
    if (options_.on_change)
      options_.on_change({.step = step,
                          .prompt = rollout.problem.prompt,
                          .text = rollout.text,
                          .answer = rollout.problem.answer,
                          .before = std::string(verdict_name(before.verdict)),
                          .now = std::string(verdict_name(now.verdict)),
                          .why = now.why});
  }
  if (options_.on_step) options_.on_step(scores);
  return {};
}

}  // namespace

Result<void> write_reward_file(const std::filesystem::path& run, const RewardOptions& options) {
  const auto quoted = [](std::string_view text) {  // a JSON text is a TOML text
    return Json(std::string(text)).dump();
  };
  const auto number = [](double value) { return Json(value).dump(); };
  const std::string text =
      "# What answers earned in this run; ponder train rescore reads it.\n[reward]\naccuracy = " +
      number(options.accuracy) + "\nform = " + number(options.form) +
      "\nform_kind = " + quoted(form_name(options.form_kind)) +
      "\nlanguage = " + number(options.language) +
      "\nlanguage_name = " + quoted(options.language_name) +
      "\noverlong = " + number(options.overlong) +
      "\noverlong_buffer = " + std::to_string(options.overlong_buffer) +
      "\nmost_tokens = " + std::to_string(options.most_tokens) +
      "\nrandom = " + (options.random ? "true" : "false") +
      "\ncommand = " + quoted(options.command_options.command) +
      "\ncommand_seconds = " + number(options.command_options.seconds) +
      "\ncommand_weight = " + number(options.command) + "\n";
  return write_file(run / "reward.toml", text);
}

Result<RewardOptions> read_reward_file(const std::filesystem::path& run,
                                       std::span<const std::string> sets) {
  const Recipe recipe = PONDER_TRY(Recipe::open(run / "reward.toml", sets));
  const Recipe table = recipe.table("reward");
  RewardOptions options = PONDER_TRY(read_reward(table));
  options.overlong_buffer = PONDER_TRY(table.integer("overlong_buffer", 0, {0, INT64_MAX}));
  options.most_tokens = PONDER_TRY(table.integer("most_tokens", 0, {0, INT64_MAX}));
  PONDER_TRY(recipe.finish());
  return options;
}

Result<void> rescore(const std::filesystem::path& run, const RescoreOptions& options) {
  Rescorer rescorer(PONDER_TRY(read_reward_file(run, options.sets)), options);
  const std::vector<int64_t> steps = PONDER_TRY(stored_steps(run));
  for (size_t i = 0; i < steps.size(); ++i) {
    PONDER_TRY(rescorer.step(rollout_file(run, steps[i]), steps[i]));
    const bool go_on =
        !options.progress ||
        options.progress(
            {.what = "judging again", .done = i + 1, .total = steps.size(), .unit = "steps"});
    if (!go_on) return Failure{{.what = "stopped"}};
  }
  return {};
}

}  // namespace ponder
