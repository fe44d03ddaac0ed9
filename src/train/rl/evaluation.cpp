#include "train/rl/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "train/rl/form.hpp"

namespace ponder {
namespace {

// Steps of evaluations, for seeds: no training has so many.
constexpr uint64_t kGreedyStep = uint64_t{1} << 62, kSampledStep = kGreedyStep + 1;

struct Count {
  int64_t right = 0, all = 0;
  double share() const {
    return all == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(all);
  }
};

bool right(const Rollout& rollout) { return rollout.reward.judgement.verdict == Verdict::kPass; }

// Answers that could not be judged for reasons of ours count for nothing.
bool judged(const Rollout& rollout) { return rollout.reward.judgement.verdict != Verdict::kInfra; }

// The share of all, and that of each level.
void add_shares(const std::string& name, std::span<const Rollout> rollouts, bool interval,
                Figures& figures) {
  Count all;
  std::map<int, Count> levels;
  for (const Rollout& rollout : rollouts) {
    if (!judged(rollout)) continue;
    for (Count* count : {&all, &levels[rollout.problem.level]}) {
      ++count->all;
      count->right += right(rollout) ? 1 : 0;
    }
  }
  figures.emplace_back(name, all.share());
  if (interval) {
    const ShareInterval bounds = wilson_interval(all.right, all.all);
    figures.emplace_back(name + "_low", bounds.low);
    figures.emplace_back(name + "_high", bounds.high);
  }
  if (levels.size() < 2) return;
  for (const auto& [level, count] : levels)
    figures.emplace_back(name + "_level_" + std::to_string(level), count.share());
}

void add_sampled(std::span<const Rollout> rollouts, int64_t samples, Figures& figures) {
  add_shares("eval_sampled", rollouts, true, figures);
  Count thinks;
  std::map<int64_t, Count> problems;
  for (const Rollout& rollout : rollouts) {
    ++thinks.all;
    thinks.right += thoughts_of(rollout.text, rollout.starts_inside).empty() ? 0 : 1;
    if (!judged(rollout)) continue;
    Count& count = problems[rollout.prompt_index];
    ++count.all;
    count.right += right(rollout) ? 1 : 0;
  }
  figures.emplace_back("eval_thinks", thinks.share());
  if (samples < 2) return;
  double sum = 0.0;
  for (const auto& [index, count] : problems)
    sum += pass_at(std::min(samples, count.all), count.all, count.right);
  figures.emplace_back("eval_pass_at_" + std::to_string(samples),
                       sum / static_cast<double>(std::max<size_t>(problems.size(), 1)));
}

}  // namespace

ShareInterval wilson_interval(int64_t right, int64_t all) {
  if (all == 0) return {};
  constexpr double kZ = 1.959963984540054;  // of 97.5 %
  const auto n = static_cast<double>(all);
  const double p = static_cast<double>(right) / n, z2 = kZ * kZ;
  const double middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
  const double half = kZ / (1.0 + z2 / n) * std::sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n));
  return {p, std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

double pass_at(int64_t k, int64_t n, int64_t c) {
  if (n - c < k) return 1.0;
  double miss = 1.0;
  for (int64_t i = n - c + 1; i <= n; ++i)
    miss *= 1.0 - static_cast<double>(k) / static_cast<double>(i);
  return 1.0 - miss;
}

Result<Figures> evaluate_policy(Sampler& sampler, std::span<const Problem> problems,
                                const EvaluationOptions& options, float temperature) {
  SampleRequest request{.seed = options.seed, .step = kGreedyStep, .temperature = 0.0f};
  for (size_t i = 0; i < problems.size(); ++i)
    request.problems.push_back({static_cast<int64_t>(i), problems[i]});
  Figures figures;
  const auto greedy = PONDER_TRY(sampler.sample(request));
  add_shares("eval_greedy", greedy, true, figures);
  double tokens = 0.0;
  for (const Rollout& rollout : greedy) tokens += static_cast<double>(rollout.answer.tokens.size());
  figures.emplace_back("eval_tokens",
                       tokens / static_cast<double>(std::max<size_t>(greedy.size(), 1)));
  if (options.forced) {
    request.begun = "<answer>";
    add_shares("eval_direct", PONDER_TRY(sampler.sample(request)), true, figures);
    request.begun = "<think>";
    add_shares("eval_thinking", PONDER_TRY(sampler.sample(request)), true, figures);
    request.begun.clear();
  }
  if (options.samples == 0) return figures;
  request.step = kSampledStep;
  request.temperature = temperature;
  request.samples = static_cast<int>(options.samples);
  add_sampled(PONDER_TRY(sampler.sample(request)), options.samples, figures);
  return figures;
}

}  // namespace ponder
