// How an answer looks on standard output. On a terminal thoughts are dim and end with the time they
// took; elsewhere they stand between <think> and </think>.
#pragma once

#include <chrono>
#include <string>

#include "base/result.hpp"
#include "cli/answer.hpp"
#include "cli/terminal.hpp"

namespace ponder {

class AnswerPrinter {
 public:
  explicit AnswerPrinter(bool hide_thinking);

  bool text(Channel channel, std::string_view text);  // for AnswerRequest::on_text
  bool thought(double seconds);                       // for AnswerRequest::on_thought
  // The error that made one of them say stop, if any. Ends the line if something was printed and
  // `end_line`.
  Result<void> finish(bool end_line);

 private:
  bool put(std::string_view text);

  bool hide_thinking_;
  bool terminal_;
  bool style_;
  bool thinking_ = false;  // something of the thoughts is shown, their end is not
  char last_ = '\n';       // last byte printed
  ProgressLine waiting_;   // while thoughts are hidden
  std::chrono::steady_clock::time_point started_;
  Result<void> status_;
};

}  // namespace ponder
