#include "train/rl/reward.hpp"

#include "base/rng.hpp"
#include "io/printable.hpp"
#include "train/rl/advantage.hpp"

namespace ponder {

Result<RewardOptions> read_reward(const Recipe& reward) {
  constexpr NumberRange kWeight{-1e3, 1e3};
  RewardOptions options;
  options.accuracy = PONDER_TRY(reward.number("accuracy", 1.0, kWeight));
  options.form = PONDER_TRY(reward.number("form", 0.0, kWeight));
  const std::string form = PONDER_TRY(reward.text("form_kind", "think_answer"));
  options.form_kind = PONDER_TRY(form_kind_by_name(form));
  options.language = PONDER_TRY(reward.number("language", 0.0, kWeight));
  options.language_name = PONDER_TRY(reward.text("language_name", "en"));
  if (!knows_language(options.language_name))
    return Failure{{.what = "the language " + printable(options.language_name) +
                            " cannot be told by its script",
                    .where = reward.where("language_name"),
                    .mend = "use en, de, fr, es, it, pt, nl, ru, uk, zh, ja, ko or el"}};
  options.overlong = PONDER_TRY(reward.number("overlong", 0.0, kWeight));
  options.random = PONDER_TRY(reward.flag("random", false));
  options.command_options.command = PONDER_TRY(reward.text("command", ""));
  options.command_options.seconds =
      PONDER_TRY(reward.number("command_seconds", 10.0, {0.01, 3600.0}));
  options.command = PONDER_TRY(reward.number("command_weight", 1.0, kWeight));
  if (options.command_options.command.empty()) options.command = 0.0;
  return options;
}

Rewarder::Rewarder(RewardOptions options, const Sandbox* sandbox)
    : options_(std::move(options)), sandbox_(sandbox) {
  if (options_.command != 0.0) command_ = std::make_unique<RewardCommand>(options_.command_options);
}

Reward Rewarder::judge(const Problem& problem, const JudgedText& answer) const {
  Reward reward;
  if (const Task* task = find_task(problem.task)) {
    reward.judgement = task->judge(problem, answer.text, sandbox_);
  } else {
    reward.judgement = {Verdict::kInfra, {}, "there is no task " + problem.task};
  }
  reward.accuracy = reward.judgement.verdict == Verdict::kPass ? 1.0 : 0.0;
  double accuracy = reward.accuracy;
  if (options_.random) accuracy = Rng(answer.seed, 1).next_double() < 0.5 ? 0.0 : 1.0;
  if (options_.form != 0.0)
    reward.form = has_form(answer.text, options_.form_kind, answer.starts_inside) ? 1.0 : 0.0;
  if (options_.language != 0.0)
    reward.language =
        language_share(thoughts_of(answer.text, answer.starts_inside), options_.language_name);
  if (options_.overlong != 0.0)
    reward.overlong =
        overlong_penalty(answer.tokens, options_.most_tokens, options_.overlong_buffer);
  const bool judged =
      options_.random || options_.accuracy == 0.0 || reward.judgement.verdict != Verdict::kInfra;
  if (judged)
    reward.total = options_.accuracy * accuracy + options_.form * reward.form +
                   options_.language * reward.language + options_.overlong * reward.overlong;
  return reward;
}

void Rewarder::ask_command(const Problem& problem, const JudgedText& answer, Reward& reward) {
  PONDER_CHECK(command_ != nullptr);
  const auto said = command_->ask({{"id", problem.id},
                                   {"prompt", problem.prompt},
                                   {"answer", problem.answer},
                                   {"response", answer.text}});
  if (!said.ok()) {
    reward.total.reset();
    reward.judgement.why = said.error().message();
    return;
  }
  reward.command = said.value();
  if (reward.total) *reward.total += options_.command * reward.command;
}

}  // namespace ponder
