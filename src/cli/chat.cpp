#include "cli/chat.hpp"

#include <unistd.h>

#include "cli/answer_printer.hpp"
#include "cli/format_text.hpp"
#include "cli/terminal.hpp"

namespace ponder {

Result<void> Chat::say(std::string message) {
  regenerations_ = 0;
  conversation_.messages.push_back({.role = "user", .content = std::move(message)});
  auto replied = reply(0);
  if (conversation_.messages.back().role == "user") conversation_.messages.pop_back();
  return replied;
}

Result<void> Chat::regenerate() {
  if (conversation_.messages.empty())
    return Failure{{.what = "there is no answer yet", .where = "/regen"}};
  ChatMessage former = std::move(conversation_.messages.back());
  conversation_.messages.pop_back();
  auto replied = reply(++regenerations_);
  if (conversation_.messages.back().role == "user")
    conversation_.messages.push_back(std::move(former));
  return replied;
}

Result<void> Chat::reply(uint64_t seed_offset) {
  AnswerPrinter printer(!settings_.show_thinking);
  ProgressLine progress;
  AnswerSinks sinks;
  sinks.progress = progress.sink();
  sinks.on_text = [&](Channel channel, std::string_view piece) {
    progress.clear();
    return printer.text(channel, piece);
  };
  sinks.on_thought = [&](double seconds) { return printer.thought(seconds); };
  const Answer result = PONDER_TRY(answerer_->answer(conversation_, settings_, seed_offset, sinks));
  progress.clear();
  if (!result.text.empty() || !result.reasoning.empty() || !result.tokens.empty())
    conversation_.messages.push_back(
        {.role = "assistant", .content = result.text, .reasoning = result.reasoning});
  PONDER_TRY(printer.finish(true));
  return show_end(result);
}

Result<void> Chat::show_end(const Answer& answer) const {
  if (settings_.stats) print_error(answerer_->stats(answer, has_style(STDERR_FILENO)));
  if (answer.reason == FinishReason::kContextFull)
    print_error("ponder: the answer is cut off: the context is full; /clear starts anew\n");
  if (!footer_) return {};
  std::string note = std::to_string(answerer_->used()) + " ";
  if (answerer_->capacity() > 0) note += "of " + std::to_string(answerer_->capacity()) + " ";
  note += "tokens";
  if (answer.stats.decode_tokens > 0 && answer.stats.decode_seconds > 0)
    note += ", " + format_rate(decode_rate(answer.stats)) + " tokens/s";
  if (answer.reason == FinishReason::kCancelled) note = "stopped; " + note;
  if (answer.reason == FinishReason::kLength) note = "max-tokens reached; " + note;
  return print(dimmed("[" + note + "]", has_style(STDOUT_FILENO)) + "\n");
}

}  // namespace ponder
