#include "serve/outcome.hpp"

#include <algorithm>

namespace ponder {

std::string Choice::text(Channel channel) const {
  std::string all;
  for (const AnswerSegment& segment : segments)
    if (segment.channel == channel) all += segment.text;
  return all;
}

int Choice::calls() const {
  return static_cast<int>(std::count_if(
      segments.begin(), segments.end(),
      [](const AnswerSegment& segment) { return segment.channel == Channel::kToolCall; }));
}

std::vector<const TokenInfo*> Choice::tokens(Channel channel) const {
  std::vector<const TokenInfo*> all;
  for (const AnswerSegment& segment : segments)
    if (segment.channel == channel)
      for (const TokenInfo& token : segment.tokens) all.push_back(&token);
  return all;
}

std::string_view Choice::finish_reason() const {
  if (finish.reason == FinishReason::kLength || finish.reason == FinishReason::kContextFull)
    return "length";
  return calls() > 0 ? "tool_calls" : "stop";
}

bool Outcome::done() const {
  return std::all_of(choices.begin(), choices.end(),
                     [](const Choice& choice) { return choice.done; });
}

Usage Outcome::usage() const {
  if (full_usage) return *full_usage;
  Usage usage{.prompt = prompt_count};
  int prompt = -1;
  for (const Choice& choice : choices) {
    usage.completion += choice.finish.generated_tokens;
    usage.reasoning += choice.counts.reasoning_tokens;
    if (choice.prompt == prompt) continue;
    prompt = choice.prompt;
    usage.cached += choice.finish.cached_tokens;
  }
  return usage;
}

void Outcome::keep_best(int count) {
  const auto mean = [](const Choice& choice) {
    return choice.log_probability /
           static_cast<double>(std::max<int64_t>(choice.finish.generated_tokens, 1));
  };
  std::stable_sort(choices.begin(), choices.end(), [&](const Choice& a, const Choice& b) {
    return a.prompt != b.prompt ? a.prompt < b.prompt : mean(a) > mean(b);
  });
  int prompt = -1;
  int kept = 0;
  std::erase_if(choices, [&](const Choice& choice) {
    if (choice.prompt != prompt) kept = 0;
    prompt = choice.prompt;
    return ++kept > count;
  });
}

OrderedJson timings_json(const Outcome& outcome) {
  double prompt_ms = 0.0, generate_ms = 0.0;
  int64_t drafted = 0, accepted = 0;
  for (const Choice& choice : outcome.choices) {
    prompt_ms = std::max(prompt_ms, choice.finish.timings.prompt_seconds * 1e3);
    generate_ms = std::max(generate_ms, choice.finish.timings.generate_seconds * 1e3);
    drafted += choice.finish.drafts.drafted;
    accepted += choice.finish.drafts.accepted;
  }
  const Usage usage = outcome.usage();
  const int64_t computed = std::max<int64_t>(usage.prompt - usage.cached, 0);
  const auto per = [](double amount, double count) { return count > 0.0 ? amount / count : 0.0; };
  const auto of = static_cast<double>(computed);
  const auto predicted = static_cast<double>(usage.completion);
  OrderedJson timings = {{"cache_n", usage.cached},
                         {"prompt_n", computed},
                         {"prompt_ms", prompt_ms},
                         {"prompt_per_token_ms", per(prompt_ms, of)},
                         {"prompt_per_second", per(1e3 * of, prompt_ms)},
                         {"predicted_n", usage.completion},
                         {"predicted_ms", generate_ms},
                         {"predicted_per_token_ms", per(generate_ms, predicted)},
                         {"predicted_per_second", per(1e3 * predicted, generate_ms)}};
  if (drafted > 0) {
    timings["draft_n"] = drafted;
    timings["draft_n_accepted"] = accepted;
  }
  return timings;
}

OrderedJson usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt},
          {"completion_tokens", usage.completion},
          {"total_tokens", usage.prompt + usage.completion},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached}}},
          {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning}}}};
}

}  // namespace ponder
