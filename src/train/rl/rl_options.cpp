#include "train/rl/rl_options.hpp"

namespace ponder {
namespace {

constexpr int64_t kMostSamples = 128;  // choices of one request
constexpr int64_t kMostTokens = 1 << 24;

// A key of a recipe that changes a part of a named algorithm.
Result<void> change(const Recipe& rl, std::string_view key, double& value, NumberRange range) {
  value = PONDER_TRY(rl.number(key, value, range));
  return {};
}

template <typename Kind>
Result<void> choose(const Recipe& rl, std::string_view key,
                    Result<Kind> (*by_name)(std::string_view), Kind& kind) {
  if (!rl.has(key)) return {};
  const std::string name = PONDER_TRY(rl.text(key, ""));
  kind = PONDER_TRY(by_name(name));
  return {};
}

Result<Algorithm> read_algorithm(const Recipe& rl, int64_t max_tokens) {
  const std::string name = PONDER_TRY(rl.text("algorithm", "grpo"));
  Algorithm algorithm = PONDER_TRY(algorithm_by_name(name, max_tokens));
  ObjectiveOptions& objective = algorithm.objective;
  PONDER_TRY(choose(rl, "baseline", baseline_by_name, algorithm.baseline));
  PONDER_TRY(choose(rl, "surrogate", surrogate_by_name, objective.surrogate));
  PONDER_TRY(choose(rl, "aggregation", aggregation_by_name, objective.aggregation));
  PONDER_TRY(choose(rl, "kl", kl_kind_by_name, objective.kl));
  PONDER_TRY(change(rl, "kl_weight", objective.kl_weight, {0.0, 1e3}));
  PONDER_TRY(change(rl, "clip_low", objective.clip_low, {0.0, 1e6}));
  PONDER_TRY(change(rl, "clip_high", objective.clip_high, {0.0, 1e6}));
  PONDER_TRY(change(rl, "kl_in_reward", algorithm.kl_in_reward, {0.0, 1e3}));
  if (objective.constant_length == 0.0) objective.constant_length = static_cast<double>(max_tokens);
  PONDER_TRY(change(rl, "constant_length", objective.constant_length, {1e-6, 1e9}));
  algorithm.dynamic_sampling = PONDER_TRY(rl.flag("dynamic_sampling", algorithm.dynamic_sampling));
  algorithm.overlong_buffer =
      PONDER_TRY(rl.integer("overlong_buffer", algorithm.overlong_buffer, {0, max_tokens}));
  if (objective.kl_weight == 0.0) objective.kl = KlKind::kNone;
  return algorithm;
}

Result<LearningPlan> read_learning(const Recipe& rl, const SamplingPlan& sampling) {
  LearningPlan plan;
  plan.minibatches = PONDER_TRY(rl.integer("minibatches", 1, {1, sampling.prompts}));
  plan.epochs = PONDER_TRY(rl.integer("epochs", 1, {1, 1000}));
  plan.leaf_tokens = PONDER_TRY(rl.integer("leaf_tokens", 4096, {1, kMostTokens}));
  plan.recompute = PONDER_TRY(rl.flag("recompute", true));
  plan.reference_every = PONDER_TRY(rl.integer("reference_every", 0, {0, INT64_MAX}));
  plan.mask_truncated = PONDER_TRY(rl.flag("mask_truncated", false));
  plan.share_prompts = PONDER_TRY(rl.flag("share_prompts", true));
  return plan;
}

}  // namespace

Result<SamplingPlan> read_sampling_plan(const Recipe& table) {
  SamplingPlan plan;
  plan.prompts = PONDER_TRY(table.integer("prompts", plan.prompts, {1, 1 << 20}));
  plan.samples = PONDER_TRY(table.integer("samples", plan.samples, {1, kMostSamples}));
  plan.max_tokens = PONDER_TRY(table.integer("max_tokens", plan.max_tokens, {1, kMostTokens}));
  plan.context =
      PONDER_TRY(table.integer("context", 2 * plan.max_tokens, {plan.max_tokens, kMostTokens}));
  plan.temperature = PONDER_TRY(table.number("temperature", 1.0, {0.01, 100.0}));
  plan.parallel = PONDER_TRY(table.integer("parallel", plan.parallel, {1, 4096}));
  plan.prompt = PONDER_TRY(table.text("prompt", "chat"));
  plan.system = PONDER_TRY(table.text("system", ""));
  plan.begun = PONDER_TRY(table.text("begun", ""));
  return plan;
}

Result<EvaluationOptions> read_evaluation(const Recipe& table) {
  EvaluationOptions options;
  options.every = PONDER_TRY(table.integer("every", 0, {0, INT64_MAX}));
  options.problems = PONDER_TRY(table.integer("problems", options.problems, {0, 1 << 20}));
  options.samples = PONDER_TRY(table.integer("samples", 1, {0, kMostSamples}));
  options.seed = static_cast<uint64_t>(PONDER_TRY(table.integer("seed", 1, {0, INT64_MAX})));
  options.first = PONDER_TRY(table.flag("first", false));
  options.forced = PONDER_TRY(table.flag("forced", false));
  return options;
}

Result<RlOptions> read_rl_options(const Recipe& recipe) {
  const Recipe rl = recipe.table("rl");
  RlOptions options;
  options.steps = PONDER_TRY(rl.integer("steps", std::nullopt, {1, INT64_MAX}));
  options.sampling = PONDER_TRY(read_sampling_plan(rl));
  options.algorithm = PONDER_TRY(read_algorithm(rl, options.sampling.max_tokens));
  options.sampling.most_rounds =
      PONDER_TRY(rl.integer("most_rounds", options.algorithm.dynamic_sampling ? 8 : 1, {1, 1000}));
  options.learning = PONDER_TRY(read_learning(rl, options.sampling));
  options.store = PONDER_TRY(rl.flag("store", true));
  options.reward = PONDER_TRY(read_reward(recipe.table("reward")));
  options.reward.most_tokens = options.sampling.max_tokens;
  options.reward.overlong_buffer = options.algorithm.overlong_buffer;
  if (options.algorithm.overlong_buffer > 0 && options.reward.overlong == 0.0)
    options.reward.overlong = 1.0;
  options.evaluation = PONDER_TRY(read_evaluation(recipe.table("evaluation")));
  return options;
}

}  // namespace ponder
