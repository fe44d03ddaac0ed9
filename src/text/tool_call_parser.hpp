// Finds calls of functions in the content of an answer while it arrives (ToolFormat).
#pragma once

#include <string>
#include <vector>

#include "text/json_extent.hpp"
#include "text/thought_splitter.hpp"
#include "text/tool_format.hpp"
#include "text/traced_text.hpp"

namespace ponder {

class ToolCallParser {
 public:
  // `names`: functions that may be called without a tag, by JSON (perhaps in a ``` block) as the
  // whole answer or behind another call.
  ToolCallParser(ToolFormat format, std::vector<std::string> names)
      : format_(format), names_(std::move(names)) {}

  // Appends pieces of kContent, kMarker and kToolCall. A piece with a name begins a call; the
  // others are its arguments.
  void push(TracedText text, std::vector<AnswerPiece>& out);
  // What was held back, as the content ends here or thoughts follow.
  void flush(std::vector<AnswerPiece>& out);

 private:
  enum class State {
    kText,
    kHeader,     // what may be a call begins the buffer
    kArguments,  // within them
    kTail,       // behind them, within the object that holds them
    kBetween,    // behind a call
  };

  // Each looks at the buffer and tells whether it got on.
  bool step(std::vector<AnswerPiece>& out);
  bool step_text(std::vector<AnswerPiece>& out);
  bool step_header(std::vector<AnswerPiece>& out);
  bool step_arguments(std::vector<AnswerPiece>& out);
  bool step_tail(std::vector<AnswerPiece>& out);
  bool step_between(std::vector<AnswerPiece>& out);

  std::vector<std::string_view> closers() const;
  void begin_tail();
  bool fits_tail(char c);
  void add_content(TracedText text, std::vector<AnswerPiece>& out);
  void drop(size_t size, std::vector<AnswerPiece>& out);
  void release(std::vector<AnswerPiece>& out);  // what was taken for a call is none

  ToolFormat format_;
  std::vector<std::string> names_;
  State state_ = State::kText;
  bool at_start_ = true;    // nothing but white space has come
  bool in_object_ = false;  // the last call is a JSON object
  bool fenced_ = false;     // and stands in a code block
  TracedText spaces_;       // in front of the buffer: dropped if a call follows
  TracedText buffer_;
  JsonExtent extent_;  // of the arguments; in the tail, of the object
  enum class Tail { kFirst, kComma, kMembers } tail_ = Tail::kFirst;
  size_t tail_bytes_ = 0;
};

}  // namespace ponder
