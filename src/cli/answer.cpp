#include "cli/answer.hpp"

#include <chrono>

#include "cli/interrupt.hpp"

namespace ponder {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

AnswerText::AnswerText(const Tokenizer& tokenizer, bool starts_inside, TextSink sink)
    : parser_(tokenizer.find("<think>"), tokenizer.find("</think>"), starts_inside),
      decoder_(tokenizer),
      sink_(std::move(sink)),
      channel_(parser_.inside() ? Channel::kReasoning : Channel::kContent),
      at_start_(parser_.inside()) {}

bool AnswerText::push(int32_t id) {
  const bool was_inside = parser_.inside();
  const Channel channel = parser_.push(id);
  if (channel != Channel::kMarker) return emit(decoder_.push(id));
  if (parser_.inside() == was_inside) return true;  // a repeated or stray tag
  const bool more = emit(decoder_.finish());
  channel_ = parser_.inside() ? Channel::kReasoning : Channel::kContent;
  at_start_ = true;
  held_.clear();
  return more;
}

bool AnswerText::finish() { return emit(decoder_.finish()); }

bool AnswerText::emit(std::string_view text) {
  if (at_start_) {
    const size_t first = text.find_first_not_of(kWhiteSpace);
    if (first == std::string_view::npos) return true;
    text.remove_prefix(first);
    at_start_ = false;
  }
  if (text.empty()) return true;
  if (channel_ != Channel::kReasoning) return sink_(channel_, text);
  held_ += text;
  const size_t end = held_.find_last_not_of(kWhiteSpace);
  if (end == std::string::npos) return true;
  const std::string ready = held_.substr(0, end + 1);
  held_.erase(0, end + 1);
  return sink_(channel_, ready);
}

bool prompt_opens_thinking(const Tokenizer& tokenizer, std::span<const int32_t> prompt) {
  ReasoningParser parser(tokenizer.find("<think>"), tokenizer.find("</think>"), false);
  for (const int32_t id : prompt) parser.push(id);
  return parser.inside();
}

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

  AnswerText text(tokenizer, request.starts_inside, [&](Channel channel, std::string_view piece) {
    (channel == Channel::kReasoning ? result.reasoning : result.text) += piece;
    return request.on_text(channel, piece);
  });
  auto thinking_since = Clock::now();
  const auto thought_ended = [&] {
    stats.thinking_seconds += seconds_since(thinking_since);
    return result.reasoning.empty() || request.on_thought(stats.thinking_seconds);
  };
  auto first_token = Clock::now();
  bool any = false;
  const auto on_token = [&](int32_t id) {
    if (!std::exchange(any, true)) first_token = Clock::now();
    const bool was_thinking = text.thinking();
    if (!text.push(id)) return false;
    if (!was_thinking && text.thinking()) thinking_since = Clock::now();
    return !was_thinking || text.thinking() || thought_ended();
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
  text.finish();
  if (text.thinking()) thought_ended();
  result.tokens = std::move(generated.tokens);
  result.reason = generated.reason;
  return result;
}

}  // namespace ponder
