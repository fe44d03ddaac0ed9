// Tells thoughts from the answer while tokens arrive.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/tokenizer.hpp"

namespace ponder {

// What a piece of an answer is.
enum class Channel {
  kReasoning,
  kContent,
  kToolCall,
  kMarker,  // tags and the white space around them: not shown
};

struct ThoughtOptions {
  // The model is one that thinks (ChatTemplate::reasons()): tags that are spelled out in text count
  // too if the vocabulary has no token for </think>.
  bool reasons = false;
  bool starts_inside = false;  // the prompt ends in <think>
  bool think_again = true;     // <think> in the midst of the answer opens thoughts again
};

// The state machine that both AnswerParser and ThinkingGuide follow.
class ThoughtSplitter {
 public:
  ThoughtSplitter(const Tokenizer& tokenizer, const ThoughtOptions& options);

  bool inside() const { return inside_; }

 private:
  bool inside_;
};

}  // namespace ponder
