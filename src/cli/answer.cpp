#include "cli/answer.hpp"

#include <chrono>

#include "cli/interrupt.hpp"

namespace ponder {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

double prompt_rate(const AnswerStats& stats) {
  const auto computed = static_cast<double>(stats.prompt_tokens - stats.reused_tokens);
  return stats.prompt_seconds > 0 ? computed / stats.prompt_seconds : 0;
}

double decode_rate(const AnswerStats& stats) {
  return stats.decode_seconds > 0 ? static_cast<double>(stats.decode_tokens) / stats.decode_seconds
                                  : 0;
}

double tokens_per_pass(const AnswerStats& stats) {
  const int64_t passes = stats.drafts.passes;
  return passes > 0 ? static_cast<double>(stats.decode_tokens) / static_cast<double>(passes) : 0;
}

Result<Answer> answer(Session& session, const Tokenizer& tokenizer, const AnswerRequest& request) {
  Answer result;
  AnswerStats& stats = result.stats;
  stats.prompt_tokens = std::ssize(request.prompt);
  const auto start = Clock::now();
  auto prefilled =
      session.prefill(request.prompt, {.progress = request.progress, .stop = &stop_flag()});
  stats.prompt_seconds = seconds_since(start);
  if (!prefilled.ok()) {
    if (!stop_flag()) return Failure{std::move(prefilled).take_error()};
    result.reason = FinishReason::kCancelled;
    return result;
  }
  stats.reused_tokens = prefilled.value().reused;

  AnswerParser parser(tokenizer, {.thoughts = request.thoughts});
  const auto show = [&](const std::vector<AnswerDelta>& deltas) {
    for (const AnswerDelta& delta : deltas) {
      if (delta.channel == Channel::kMarker) continue;
      (delta.channel == Channel::kReasoning ? result.reasoning : result.text) += delta.text;
      if (!request.on_text(delta.channel, delta.text)) return false;
    }
    return true;
  };
  auto thinking_since = Clock::now();
  const auto thought_ended = [&] {
    stats.thinking_seconds += seconds_since(thinking_since);
    return result.reasoning.empty() || request.on_thought(stats.thinking_seconds);
  };
  auto first_token = Clock::now();
  bool any = false;
  const auto on_token = [&](int32_t id) {
    if (!std::exchange(any, true)) first_token = Clock::now();
    const bool was_thinking = parser.thinking();
    if (!show(parser.push(id))) return false;
    if (!was_thinking && parser.thinking()) thinking_since = Clock::now();
    return !was_thinking || parser.thinking() || thought_ended();
  };
  auto generated =
      PONDER_TRY(session.generate({.sampling = request.sampling,
                                   .max_tokens = request.max_tokens,
                                   .is_end = [&](int32_t id) { return tokenizer.is_end(id); },
                                   .on_token = on_token,
                                   .stop = &stop_flag()}));
  // The first token came from the prompt's last forward pass; an end token counts too.
  stats.decode_tokens = std::ssize(generated.tokens) - 1;
  if (generated.reason == FinishReason::kStop) ++stats.decode_tokens;
  stats.decode_tokens = std::max<int64_t>(stats.decode_tokens, 0);
  if (any) stats.decode_seconds = seconds_since(first_token);
  stats.drafts = generated.drafts;
  show(parser.finish());
  if (parser.thinking()) thought_ended();
  result.tokens = std::move(generated.tokens);
  result.reason = generated.reason;
  return result;
}

}  // namespace ponder
