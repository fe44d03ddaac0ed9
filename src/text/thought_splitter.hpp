// Tells thoughts from the answer while tokens arrive: the state machine that both AnswerParser and
// ThinkingGuide follow.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "text/tokenizer.hpp"
#include "text/traced_text.hpp"

namespace ponder {

// What a piece of an answer is.
enum class Channel {
  kReasoning,
  kContent,
  kToolCall,
  kMarker,  // tags and the white space around them: not shown
};

struct AnswerPiece {
  Channel channel;
  TracedText text;
  std::string name = {};  // of a function, where its call begins
};

// Appends a piece, unless it is nothing.
void add_piece(Channel channel, TracedText text, std::vector<AnswerPiece>& out);

struct ThoughtOptions {
  // The model is one that thinks (ChatTemplate::reasons()): tags that are spelled out in text count
  // too if the vocabulary has no token for </think>. If it has one, only the token counts.
  bool reasons = false;
  bool starts_inside = false;  // the prompt ends in <think>
  bool think_again = true;     // <think> in the midst of the answer opens thoughts again
};

// Markdown code so far: whether text stands in a ``` block or between single `.
class CodeTracker {
 public:
  void push(std::string_view text);
  bool inside();

 private:
  void end_run();

  bool block_ = false, span_ = false, line_start_ = true;
  int run_ = 0;  // of ` just now
};

class ThoughtSplitter {
 public:
  // Special tokens are left out, but for those with a text in `kept`, whose views must live on.
  ThoughtSplitter(const Tokenizer& tokenizer, const ThoughtOptions& options,
                  std::span<const std::string_view> kept = {});

  // Appends pieces of kReasoning, kContent and kMarker, of whole characters.
  void push(int32_t token, std::vector<AnswerPiece>& out);
  void finish(std::vector<AnswerPiece>& out);

  bool inside() const { return inside_; }
  bool by_text() const { return by_text_; }
  bool knows_tags() const { return close_ || by_text_; }
  // The last token left a character unfinished.
  bool in_character() const { return pending_.size() > 0; }
  // What is held back of text that may become a tag.
  std::string_view partial_tag() const { return text_.bytes(); }

 private:
  void split_text(std::vector<AnswerPiece>& out);
  void tag(bool opens, TracedText text, std::vector<AnswerPiece>& out);
  void turn(bool inside, TracedText tag, std::vector<AnswerPiece>& out);
  void route(TracedText text, std::vector<AnswerPiece>& out);

  Tokenizer tokenizer_;
  ThoughtOptions options_;
  std::span<const std::string_view> kept_;
  std::optional<int32_t> open_, close_;
  bool by_text_;
  bool inside_;
  bool at_start_;               // white space is dropped
  bool content_began_ = false;  // since the last thoughts, white space aside
  bool thought_ = false;        // thoughts have ended before
  CodeTracker code_;            // of the content
  TracedText pending_;          // an unfinished character
  TracedText text_;             // may be the start of a tag in text
  TracedText spaces_;           // of thoughts: dropped if these end here
};

}  // namespace ponder
