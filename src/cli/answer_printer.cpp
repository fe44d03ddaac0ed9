#include "cli/answer_printer.hpp"

#include <unistd.h>

#include "cli/format_text.hpp"

namespace ponder {

AnswerPrinter::AnswerPrinter(bool hide_thinking)
    : hide_thinking_(hide_thinking),
      terminal_(is_terminal(STDOUT_FILENO)),
      style_(has_style(STDOUT_FILENO)),
      started_(std::chrono::steady_clock::now()) {}

bool AnswerPrinter::put(std::string_view text) {
  if (!status_.ok() || text.empty()) return status_.ok();
  status_ = print(text);
  last_ = text.back();
  return status_.ok();
}

bool AnswerPrinter::text(Channel channel, std::string_view text) {
  const std::string shown = terminal_ ? terminal_safe(text) : std::string(text);
  if (channel == Channel::kContent) {
    waiting_.clear();
    return put(shown);
  }
  if (hide_thinking_) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started_;
    waiting_.show("thinking  " + format_duration(passed.count()));
    return true;
  }
  // A model may think again in the middle of its answer.
  if (!thinking_ && last_ != '\n' && !put("\n")) return false;
  if (!thinking_ && !terminal_ && !put("<think>\n")) return false;
  thinking_ = true;
  // Each piece is reset, so that whatever ends the program leaves the terminal as it was.
  put(dimmed(shown, style_));
  last_ = shown.empty() ? last_ : shown.back();
  return status_.ok();
}

bool AnswerPrinter::thought(double seconds) {
  waiting_.clear();
  const bool shown = std::exchange(thinking_, false);
  if (terminal_) {
    const std::string note = "(thought for " + format_duration(seconds) + ")";
    return put((shown ? "\n" : "") + dimmed(note, style_) + "\n\n");
  }
  return !shown || put("\n</think>\n\n");
}

Result<void> AnswerPrinter::finish(bool end_line) {
  waiting_.clear();
  if (end_line && last_ != '\n') put("\n");
  return std::move(status_);
}

}  // namespace ponder
