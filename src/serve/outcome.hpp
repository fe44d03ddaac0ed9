// What has come of a request so far, in the form from which every API's answers are written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.hpp"
#include "serve/served_model.hpp"
#include "text/answer_parser.hpp"

namespace ponder {

struct TokenInfo {
  int32_t token = 0;
  float log_probability = 0.0f;
  std::vector<LikelyToken> likely = {};
};

// What came between two changes of channel: thoughts, content, or one call.
struct AnswerSegment {
  Channel channel = Channel::kContent;
  std::string text = {};                // of a call: its arguments
  std::string call_id = {}, name = {};  // of a call
  std::vector<TokenInfo> tokens = {};   // whose text ends in here, if they were asked for
};

// A piece that has just been added to the last segment.
struct Piece {
  Channel channel = Channel::kContent;
  std::string_view text = {};
  int call = 0;            // number of the call in this answer
  bool opens = false;      // it is the first of its segment
  size_t first_token = 0;  // of the segment's tokens, those from here on came with it
};

struct Choice {
  std::vector<AnswerSegment> segments = {};
  AnswerCounts counts = {};
  std::string stop = {};  // the stop string that ended it
  bool done = false;
  FinishEvent finish = {};
  int prompt = 0;                // which of the request's prompts it answers
  double log_probability = 0.0;  // sum over its tokens, if asked for

  std::string text(Channel channel) const;  // of all its segments
  int calls() const;
  // Tokens of all segments of a channel.
  std::vector<const TokenInfo*> tokens(Channel channel) const;
  std::string_view finish_reason() const;  // OpenAI's: "stop", "length", "tool_calls"
};

struct Usage {
  int64_t prompt = 0, cached = 0, completion = 0, reasoning = 0;
};

struct Outcome {
  const ServedModel* model = nullptr;
  std::string id = {};
  int64_t created = 0;  // seconds since 1970
  uint64_t seed = 0;
  std::vector<Choice> choices = {};                        // prompt by prompt
  std::vector<std::string> prompts = {};                   // their texts, if they are given back
  std::vector<std::vector<TokenInfo>> prompt_tokens = {};  // likewise, if asked for
  int64_t prompt_count = 0;                                // tokens of all prompts
  std::optional<Usage> full_usage = {};                    // with the choices that were not kept

  bool done() const;
  Usage usage() const;
  // Keeps, of each prompt's choices, the `count` likeliest in that order.
  void keep_best(int count);
};

// llama-server's "timings": what was computed and how fast. Nothing is negative or null.
OrderedJson timings_json(const Outcome& outcome);
// OpenAI's "usage".
OrderedJson usage_json(const Usage& usage);

}  // namespace ponder
