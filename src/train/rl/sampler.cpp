#include "train/rl/sampler.hpp"

#include <algorithm>
#include <map>

namespace ponder {
namespace {

// What a rank tells the others: one of these, then lines of rollouts or what went wrong.
constexpr char kRollouts = 'R', kFailed = 'F';

Result<void> parse_lines(std::string_view lines, std::vector<Rollout>& rollouts) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    const Json object = PONDER_TRY(parse_json(lines.substr(0, end), "another rank's rollouts"));
    rollouts.push_back(PONDER_TRY(rollout_from_json(object, "another rank's rollouts")));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return {};
}

}  // namespace

std::string answer_text(const Tokenizer& tokenizer, const RolloutAnswer& answer) {
  const size_t count = answer.tokens.size() - (answer.ended ? 1 : 0);
  return tokenizer.decode(std::span(answer.tokens).first(count));
}

Result<void> agreed(Communicator& ranks, const Result<void>& done) {
  if (!ranks.any(!done.ok())) return {};
  if (!done.ok()) return Failure{done.error()};
  return Failure{{.what = "another rank has failed", .where = "mpirun"}};
}

Result<std::vector<Rollout>> Sampler::sample(const SampleRequest& request) {
  auto own = sample_own(request);
  auto all = PONDER_TRY(exchange(std::move(own)));
  std::map<int64_t, size_t> place;  // of each problem in the request
  for (size_t i = 0; i < request.problems.size(); ++i) place[request.problems[i].index] = i;
  std::sort(all.begin(), all.end(), [&](const Rollout& a, const Rollout& b) {
    return std::pair(place[a.prompt_index], a.sample) < std::pair(place[b.prompt_index], b.sample);
  });
  return all;
}

Result<std::vector<Rollout>> Sampler::sample_own(const SampleRequest& request) {
  std::vector<RolloutPrompt> prompts;
  std::vector<Rollout> rollouts;
  for (size_t i = 0; i < request.problems.size(); ++i) {
    if (static_cast<int>(i % static_cast<size_t>(parts_.ranks->size())) != parts_.ranks->rank())
      continue;
    const auto& [index, problem] = request.problems[i];
    const FormattedPrompt prompt = PONDER_TRY(parts_.format->format(problem.prompt, request.begun));
    const uint64_t seed = rollout_seed(request.seed, request.step, static_cast<uint64_t>(index));
    prompts.push_back({.tokens = prompt.tokens, .seed = seed, .samples = request.samples});
    for (int sample = 0; sample < request.samples; ++sample)
      rollouts.push_back({.prompt_index = index,
                          .sample = sample,
                          .seed = seed + static_cast<uint64_t>(sample),
                          .problem = problem,
                          .prompt = prompt.tokens,
                          .starts_inside = prompt.starts_inside,
                          .answer = {},
                          .text = request.begun,
                          .reward = {}});
  }
  auto answers = PONDER_TRY(parts_.engine->run(
      prompts,
      {.temperature = request.temperature, .stop = parts_.stop, .progress = parts_.progress}));
  auto next = rollouts.begin();
  for (auto& group : answers) {
    for (RolloutAnswer& answer : group) {
      next->answer = std::move(answer);
      next->text += answer_text(*parts_.tokenizer, next->answer);
      ++next;
    }
  }
  PONDER_TRY(judge(rollouts));
  return rollouts;
}

Result<void> Sampler::judge(std::vector<Rollout>& rollouts) {
  const auto judged = [](const Rollout& rollout) {
    return JudgedText{.text = rollout.text,
                      .starts_inside = rollout.starts_inside,
                      .tokens = std::ssize(rollout.answer.tokens),
                      .seed = rollout.seed};
  };
  parts_.pool->run(std::ssize(rollouts), [&](int64_t i, int) {
    Rollout& rollout = rollouts[static_cast<size_t>(i)];
    rollout.reward = parts_.rewarder->judge(rollout.problem, judged(rollout));
  });
  if (!parts_.rewarder->has_command()) return {};
  size_t failed = 0;
  for (Rollout& rollout : rollouts) {
    parts_.rewarder->ask_command(rollout.problem, judged(rollout), rollout.reward);
    failed += rollout.reward.total ? 0 : 1;
  }
  if (failed == 0 || failed < rollouts.size()) return {};
  return Failure{{.what = "no answer got a reward: " + rollouts.front().reward.judgement.why}};
}

// All ranks' rollouts, or the error of the first rank that has one.
Result<std::vector<Rollout>> Sampler::exchange(Result<std::vector<Rollout>> own) {
  if (parts_.ranks->size() == 1) return own;
  std::string message(1, own.ok() ? kRollouts : kFailed);
  if (own.ok()) {
    for (const Rollout& rollout : own.value())
      message +=
          rollout_to_json(rollout).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  } else {
    message += own.error().what == "stopped" ? "stopped" : own.error().message();
  }
  std::vector<Rollout> all;
  const std::vector<std::string> messages = parts_.ranks->gather(message);
  for (const std::string& of_rank : messages)
    if (of_rank.empty() || of_rank[0] == kFailed)
      return Failure{{.what = of_rank.empty() ? "a rank said nothing" : of_rank.substr(1)}};
  for (const std::string& of_rank : messages)
    PONDER_TRY(parse_lines(std::string_view(of_rank).substr(1), all));
  return all;
}

}  // namespace ponder
