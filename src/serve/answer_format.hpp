// How one API writes its answers, at once or as a stream of events. Formats know nothing of engines
// and sockets.
#pragma once

#include <memory>
#include <string>

#include "serve/http/errors.hpp"
#include "serve/outcome.hpp"

namespace ponder {

class AnswerFormat {
 public:
  virtual ~AnswerFormat() = default;

  // The body of an answer that is complete.
  virtual OrderedJson whole(const Outcome& outcome) = 0;

  // The events of a stream, as they are sent: begin() first, then for each choice its pieces and
  // finished(), at last end(). Or failure(), which ends it too.
  virtual std::string begin(const Outcome& outcome) = 0;
  virtual std::string piece(const Outcome& outcome, int choice, const Piece& piece) = 0;
  virtual std::string finished(const Outcome& outcome, int choice) = 0;
  virtual std::string end(const Outcome& outcome) = 0;
  virtual std::string failure(const HttpError& error);

  // An error before anything was sent.
  virtual HttpResponse refusal(HttpError error) { return error_response(std::move(error)); }
};

struct ChatFormatOptions {
  bool usage = false;  // stream_options.include_usage
  bool log_probabilities = false;
};
std::unique_ptr<AnswerFormat> make_chat_format(const ChatFormatOptions& options);

struct CompletionFormatOptions {
  bool usage = false;
  bool echo = false;
  int likely = -1;  // GenerationFields::likely
};
std::unique_ptr<AnswerFormat> make_completion_format(const CompletionFormatOptions& options);

// Anthropic's.
std::unique_ptr<AnswerFormat> make_message_format();
HttpResponse message_refusal(HttpError error);

// OpenAI's responses. `echo`: what the answer repeats of the request.
std::unique_ptr<AnswerFormat> make_response_format(OrderedJson echo, bool log_probabilities);

// One token as OpenAI tells about it: {"token", "logprob", "bytes", "top_logprobs"}.
OrderedJson token_json(const Tokenizer& tokenizer, const TokenInfo& info);

// What OpenAI's answers and their parts begin with.
OrderedJson answer_head(const Outcome& outcome, const char* object);
// The seed and the timings, which are known at the end.
void add_measures(OrderedJson& answer, const Outcome& outcome);
// The end of a stream of OpenAI's: `last`, a part without choices, with the usage if that is asked
// for, and [DONE].
std::string stream_end(OrderedJson last, const Outcome& outcome, bool usage);

// "data: …" and an empty line; with an event's name before it unless that is empty.
std::string server_event(const OrderedJson& data, std::string_view name = {});
// One line. Bytes that are not UTF-8 become U+FFFD.
std::string json_line(const OrderedJson& value);

}  // namespace ponder
