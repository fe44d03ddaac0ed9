// One answer of a model: prompt in, thoughts and text out while they arrive, with timings.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/generate.hpp"
#include "text/reasoning_parser.hpp"
#include "text/stream_decoder.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

// Text for one channel; false: stop.
using TextSink = std::function<bool(Channel channel, std::string_view text)>;

// Turns tokens into text by channel. White space around the tags of thinking is dropped: at the
// start and end of the thoughts, and before the content that follows them.
class AnswerText {
 public:
  // `starts_inside`: the prompt ends inside <think>.
  AnswerText(const Tokenizer& tokenizer, bool starts_inside, TextSink sink);

  bool push(int32_t id);  // false: the sink said stop
  bool finish();
  // Whether thoughts have ended and what follows is content.
  bool thinking() const { return parser_.inside(); }

 private:
  bool emit(std::string_view text);

  ReasoningParser parser_;
  StreamDecoder decoder_;
  TextSink sink_;
  Channel channel_;
  bool at_start_;     // white space is dropped
  std::string held_;  // white space of thoughts that may turn out to be their end
};

// Whether a prompt ends inside <think>, judged by its last tag.
bool prompt_opens_thinking(const Tokenizer& tokenizer, std::span<const int32_t> prompt);

struct AnswerRequest {
  std::vector<int32_t> prompt;
  SamplingOptions sampling;
  int64_t max_tokens = -1;
  bool starts_inside = false;
  TextSink on_text;
  std::function<bool(double seconds)> on_thought;  // thinking ended; false: stop
  ProgressSink progress;                           // of the prompt
};

struct AnswerStats {
  int64_t prompt_tokens = 0;
  int64_t reused_tokens = 0;  // of these, from the cache
  double prompt_seconds = 0;
  int64_t decode_tokens = 0;  // chosen after the first, which the prompt's last pass gives
  double decode_seconds = 0;
  DraftCounts drafts;
  double thinking_seconds = 0;
};

struct Answer {
  std::string text, reasoning;
  std::vector<int32_t> tokens;
  FinishReason reason = FinishReason::kStop;
  AnswerStats stats;
};

double prompt_rate(const AnswerStats& stats);  // computed tokens per second; 0: none
double decode_rate(const AnswerStats& stats);
double tokens_per_pass(const AnswerStats& stats);  // of decode_tokens; 0: none

// Ctrl-C (stop_flag()) gives an answer with the reason kCancelled, possibly empty. Errors: those of
// Session.
Result<Answer> answer(Session& session, const Tokenizer& tokenizer, const AnswerRequest& request);

}  // namespace ponder
