// One answer of a model: prompt in, thoughts and text out while they arrive, with timings.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/generate.hpp"
#include "text/answer_parser.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

// Text of the thoughts or of the content; false: stop.
using TextSink = std::function<bool(Channel channel, std::string_view text)>;

struct AnswerRequest {
  std::vector<int32_t> prompt;
  SamplingOptions sampling;
  int64_t max_tokens = -1;
  ThoughtOptions thoughts;
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
