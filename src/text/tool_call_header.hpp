// How the text of a call begins, up to its arguments.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tool_format.hpp"

namespace ponder {

// What tells that calls begin, and what may stand around them.
struct ToolMarks {
  std::vector<std::string_view> openers = {}, closers = {};
  std::vector<std::string_view> all = {};
};
const ToolMarks& tool_marks(ToolFormat format);

inline constexpr std::string_view kCodeFence = "```";
inline constexpr std::string_view kPythonTag = "<|python_tag|>";

struct ToolCallHeader {
  enum class Outcome { kMore, kBroken, kFound };
  Outcome outcome = Outcome::kMore;
  std::string name = {};
  size_t end = 0;  // of what has been read of the text
  // All of them, if they were read too; else they begin at `end`.
  std::optional<std::string> arguments = {};
  bool in_object = false;  // an object around them is still open
  bool fenced = false;     // and a ``` block
};

// Reads `text`, which begins with an opener, with { or with a code fence. A call without an opener
// must be of one of `names`.
ToolCallHeader read_tool_call_header(ToolFormat format, std::string_view text,
                                     std::span<const std::string> names);

}  // namespace ponder
