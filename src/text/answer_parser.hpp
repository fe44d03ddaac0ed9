// From the tokens of an answer to what is shown of it: thoughts, content and calls of tools, as
// they arrive. The pieces, put together, do not depend on how the text is cut into tokens.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/stop_strings.hpp"
#include "text/thought_splitter.hpp"
#include "text/tokenizer.hpp"
#include "text/tool_call_parser.hpp"
#include "text/tool_format.hpp"

namespace ponder {

struct AnswerOptions {
  ThoughtOptions thoughts = {};
  // Calls are looked for with a format other than kNone only: give none if the request has no
  // tools.
  ToolFormat tools = ToolFormat::kNone;
  std::vector<std::string> tool_names = {};  // a call without tags must be of one of these
  StopStrings stop = {};                     // looked for in content, not in thoughts or calls
  bool include_stop = false;                 // show the stop string too
  std::string call_seed = {};  // ids of calls follow from this (a request's id) and their number
};

struct AnswerDelta {
  Channel channel = Channel::kContent;
  std::string text = {};  // whole characters; of a call: a piece of its arguments (JSON text)
  int tokens = 0;         // how many of the tokens pushed begin in this piece
  // Of kToolCall:
  int call = 0;                    // number of the call, from 0
  std::string id = {}, name = {};  // in the first piece of a call only
};

struct AnswerCounts {
  int64_t reasoning_tokens = 0;  // pushed while thinking, tags included
  int64_t content_tokens = 0;    // all others
  int calls = 0;
};

// Thoughts: white space around their tags is dropped. A repeated <think> in thoughts and a repeated
// </think> before any content are dropped. </think> in the content is text. <think> in the content
// opens thoughts again, but is text inside code (`…` or a ``` block) and without think_again.
//
// Calls: a call is begun (id and name) when its name and the start of its arguments are there; the
// arguments then come as the model writes them, up to their closing bracket. What looks like a call
// but has no name and arguments is content. White space around calls is dropped. Arguments are
// JSON by their brackets only, and may end early: clients must check them, as with any model. Where
// they cannot go on as JSON, or are nested deeper than 64, they end and content follows.
//
// Every token pushed is counted in `tokens` of exactly one delta, in order: tokens that are not
// shown in deltas of kMarker, which have no text.
class AnswerParser {
 public:
  AnswerParser(const Tokenizer& tokenizer, AnswerOptions options);

  // Pieces that are complete now; neighbours differ in channel or call. Ignored after stopped().
  // The end token need not be pushed.
  std::vector<AnswerDelta> push(int32_t token);
  // What was held back. Nothing may be pushed then.
  std::vector<AnswerDelta> finish();

  // Whether thoughts are open; after finish(): whether they were never closed.
  bool thinking() const { return splitter_.inside(); }
  // A stop string matched: end the generation.
  bool stopped() const { return stop_.matched(); }
  // Which.
  std::string_view stop() const { return stop_.stop().bytes(); }
  const AnswerCounts& counts() const { return counts_; }

 private:
  void take(std::vector<AnswerPiece> pieces, std::vector<AnswerDelta>& out);
  void take_content(std::vector<AnswerPiece> pieces, std::vector<AnswerDelta>& out);
  void flush_content(std::vector<AnswerDelta>& out);
  void show(Channel channel, const TracedText& text, std::vector<AnswerDelta>& out);
  void show_stop(std::vector<AnswerDelta>& out);

  ThoughtSplitter splitter_;
  ToolCallParser tools_;
  StopScanner stop_;
  bool include_stop_;
  std::string call_seed_;
  AnswerCounts counts_;
};

// "call_" and 24 letters and digits.
std::string tool_call_id(std::string_view seed, int number);

// Whether a prompt ends inside <think>, judged by the last token that is a tag.
bool prompt_opens_thinking(const Tokenizer& tokenizer, std::span<const int32_t> prompt);

}  // namespace ponder
