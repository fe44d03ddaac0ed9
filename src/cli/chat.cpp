#include "cli/chat.hpp"

#include <unistd.h>

#include "cli/answer_printer.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/stats.hpp"
#include "cli/terminal.hpp"

namespace ponder {

Chat::Chat(const LoadedModel& loaded, Tokenizer tokenizer, ChatTemplate chat_template,
           Session session, bool footer)
    : loaded_(&loaded),
      tokenizer_(std::move(tokenizer)),
      template_(std::move(chat_template)),
      session_(std::move(session)),
      footer_(footer) {}

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

Result<AnswerRequest> Chat::make_request(uint64_t seed_offset) const {
  const RenderOptions options{.enable_thinking = settings_.think};
  const std::vector<ChatMessage> messages = conversation_.all();
  const std::string prompt = PONDER_TRY(template_.render(messages, options));
  AnswerRequest request;
  request.prompt = tokenizer_.encode(prompt, {.add_bos = false});
  if (std::ssize(request.prompt) > session_.capacity())
    return Failure{{.what = "the conversation would take " + std::to_string(request.prompt.size()) +
                            " tokens, the context has " + std::to_string(session_.capacity()),
                    .mend = "/clear starts anew; a larger --ctx at the start gives more room"}};
  request.sampling = choose_sampling(settings_.sampling, template_.reasons() && settings_.think);
  request.sampling.seed += seed_offset;
  request.max_tokens = settings_.max_tokens.value_or(-1);
  request.thoughts = {.reasons = template_.reasons(),
                      .starts_inside = template_.opens_thinking(messages, options)};
  return request;
}

Result<void> Chat::reply(uint64_t seed_offset) {
  AnswerRequest request = PONDER_TRY(make_request(seed_offset));
  AnswerPrinter printer(!settings_.show_thinking);
  ProgressLine progress;
  request.progress = progress.sink();
  request.on_text = [&](Channel channel, std::string_view piece) {
    progress.clear();
    return printer.text(channel, piece);
  };
  request.on_thought = [&](double seconds) { return printer.thought(seconds); };
  const Answer result = PONDER_TRY(answer(session_, tokenizer_, request));
  progress.clear();
  if (!result.tokens.empty())
    conversation_.messages.push_back(
        {.role = "assistant", .content = result.text, .reasoning = result.reasoning});
  PONDER_TRY(printer.finish(true));
  return show_end(result, request.sampling);
}

Result<void> Chat::show_end(const Answer& answer, const SamplingOptions& sampling) const {
  const bool style = has_style(STDOUT_FILENO);
  if (settings_.stats)
    print_error(stats_text({.answer = answer.stats,
                            .load_seconds = loaded_->load_seconds,
                            .cache_bytes = session_.cache_bytes(),
                            .context = session_.capacity(),
                            .isa = loaded_->runtime.context().isa,
                            .threads = loaded_->runtime.context().pool->size(),
                            .sampling = sampling},
                           has_style(STDERR_FILENO)));
  if (answer.reason == FinishReason::kContextFull)
    print_error("ponder: the answer is cut off: the context is full; /clear starts anew\n");
  if (!footer_) return {};
  std::string note = std::to_string(session_.tokens().size()) + " of " +
                     std::to_string(session_.capacity()) + " tokens";
  if (answer.stats.decode_tokens > 0)
    note += ", " + format_rate(decode_rate(answer.stats)) + " tokens/s";
  if (answer.reason == FinishReason::kCancelled) note = "stopped; " + note;
  if (answer.reason == FinishReason::kLength) note = "max-tokens reached; " + note;
  return print(dimmed("[" + note + "]", style) + "\n");
}

}  // namespace ponder
