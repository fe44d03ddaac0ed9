#include "text/tool_format.hpp"

namespace ponder {

ToolCallForm tool_call_form(ToolFormat format) {
  switch (format) {
    case ToolFormat::kNone:
      break;
    case ToolFormat::kDeepseek:
      return {.list_begin = "<｜tool▁calls▁begin｜>",
              .call_begin = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
              .middle = "\n```json\n",
              .call_end = "\n```<｜tool▁call▁end｜>",
              .between = "\n",
              .list_end = "<｜tool▁calls▁end｜>"};
    case ToolFormat::kHermes:
      return {.list_begin = "",
              .call_begin = "<tool_call>\n{\"name\": \"",
              .middle = "\", \"arguments\": ",
              .call_end = "}\n</tool_call>",
              .between = "\n",
              .list_end = ""};
    case ToolFormat::kLlama3:
      return {.list_begin = "",
              .call_begin = "{\"name\": \"",
              .middle = "\", \"parameters\": ",
              .call_end = "}",
              .between = "; ",
              .list_end = ""};
  }
  return {};
}

}  // namespace ponder
