// How models write calls of functions into their answers.
#pragma once

#include <string>

namespace ponder {

enum class ToolFormat {
  kNone,      // calls are not looked for: all is content
  kDeepseek,  // DeepSeek-V3, R1 and distilled models
  kHermes,    // Qwen2.5, Qwen3: JSON between <tool_call> and </tool_call>
  kLlama3,    // JSON as the whole answer
};

// An answer with calls is
//   list_begin  call_begin NAME middle ARGUMENTS call_end  (between …)*  list_end
// where NAME goes into a JSON string if a quote stands before it, and ARGUMENTS is a JSON object:
// for grammars that force a call. All empty for kNone.
struct ToolCallForm {
  std::string list_begin, call_begin, middle, call_end, between, list_end;
};
ToolCallForm tool_call_form(ToolFormat format);

}  // namespace ponder
