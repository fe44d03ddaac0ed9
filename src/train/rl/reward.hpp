// What an answer earns, part by part.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "judge/problem.hpp"
#include "train/recipe.hpp"
#include "train/rl/form.hpp"
#include "train/rl/reward_command.hpp"

namespace ponder {

// Weights of the parts. A part of weight 0 is not computed, but for the accuracy.
struct RewardOptions {
  double accuracy = 1.0;  // times 1 if the task's judge says so
  double form = 0.0;      // times 1 if the answer has the form
  FormKind form_kind = FormKind::kThinkAnswer;
  double language = 0.0;  // times the share of the thoughts' words in it (DeepSeek-R1 §2.3.2)
  std::string language_name = "en";
  double command = 0.0;  // times what the user's command says
  RewardCommandOptions command_options = {};
  double overlong = 0.0;        // times overlong_penalty()
  int64_t overlong_buffer = 0;  // tokens
  int64_t most_tokens = 0;      // of an answer
  // A control: accuracy is the toss of a coin that falls as the answer's seed wants.
  bool random = false;
};

// The keys of a recipe's [reward]; `most_tokens` and `overlong_buffer` are set by the caller.
Result<RewardOptions> read_reward(const Recipe& reward);

// An answer as it is judged.
struct JudgedText {
  std::string_view text;       // what the model wrote, without its end token
  bool starts_inside = false;  // the prompt ended in <think>
  int64_t tokens = 0;
  uint64_t seed = 0;
};

struct Reward {
  // The weighted sum; nothing if a part could not be found out for reasons of ours.
  std::optional<double> total;
  double accuracy = 0.0, form = 0.0, language = 0.0, command = 0.0, overlong = 0.0;  // unweighted
  Judgement judgement;
};

class Rewarder {
 public:
  // `sandbox` runs code, outlives this, and may be null if no problem needs it.
  Rewarder(RewardOptions options, const Sandbox* sandbox);

  const RewardOptions& options() const { return options_; }
  // From any thread, if there is no command.
  Reward judge(const Problem& problem, const JudgedText& answer) const;
  bool has_command() const { return command_ != nullptr; }
  // The part of the user's command, from one thread at a time; only if has_command(). An error
  // takes the total away and is told in the judgement.
  void ask_command(const Problem& problem, const JudgedText& answer, Reward& reward);

 private:
  RewardOptions options_;
  const Sandbox* sandbox_;
  std::unique_ptr<RewardCommand> command_;
};

}  // namespace ponder
