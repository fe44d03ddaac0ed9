// How the text of a call begins, up to its arguments.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tool_format.hpp"

namespace ponder {

// What tells that calls begin and what may stand around and between them.
struct ToolMarks {
  std::vector<std::string_view> openers = {}, closers = {};
  std::string_view separators = {};  // characters between bare calls
  bool bare = false;                 // an answer that begins with { may be a call
  std::vector<std::string_view> all = {};
};
const ToolMarks& tool_marks(ToolFormat format);

inline constexpr std::string_view kPythonTag = "<|python_tag|>";

struct ToolCallHeader {
  enum class Outcome { kMore, kBroken, kFound };
  Outcome outcome = Outcome::kMore;
  std::string name = {};
  size_t end = 0;  // of what has been read of the text
  // All of them, if they were read too; else they begin at `end`.
  std::optional<std::string> arguments = {};
  bool closed = false;  // the object around them too
};

// Reads `text`, which begins with an opener or with {. A call without an opener must be of one of
// `names`.
ToolCallHeader read_tool_call_header(ToolFormat format, std::string_view text,
                                     std::span<const std::string> names);

}  // namespace ponder
