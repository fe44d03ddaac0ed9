#include "text/template_families.hpp"

#include "text/python_json.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

using Messages = std::span<const ChatMessage>;
using namespace template_text;

constexpr std::string_view kBos = "<｜begin▁of▁sentence｜>";
constexpr std::string_view kUser = "<｜User｜>";
constexpr std::string_view kAssistant = "<｜Assistant｜>";
constexpr std::string_view kThinkEnd = "</think>";
// What Llama 3.1 says when nobody tells the date. We do not: the same input, the same prompt.
constexpr std::string_view kLlamaDate = "26 Jul 2024";
constexpr std::string_view kToolResponse = "<tool_response>", kToolResponseEnd = "</tool_response>";

std::string_view after_thoughts(std::string_view content) {
  const size_t end = content.rfind(kThinkEnd);
  return end == std::string_view::npos ? content : content.substr(end + kThinkEnd.size());
}

std::string_view without_breaks(std::string_view text, bool front, bool back) {
  while (front && text.starts_with('\n')) text.remove_prefix(1);
  while (back && text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

// --- Tools ---

std::string_view raw_arguments(const ToolCall& call) {
  return call.arguments.empty() ? "{}" : std::string_view(call.arguments);
}

// Arguments as `tojson` writes them. What is no JSON stays as it is: the model wrote it.
std::string json_arguments(const ToolCall& call) {
  const auto parsed = parse_ordered_json(raw_arguments(call), "");
  return parsed.ok() ? python_json(parsed.value()) : call.arguments;
}

std::string call_text(ToolFormat format, const ToolCall& call, std::string_view arguments) {
  const ToolCallForm form = tool_call_form(format);
  return joined({form.call_begin, call.name, form.middle, arguments, form.call_end});
}

// For templates that tell no functions to the model: in our words, behind the system message.
std::string with_tools(std::string system, const RenderOptions& options, ToolFormat format) {
  if (options.tools.empty()) return system;
  const ToolCallForm form = tool_call_form(format);
  if (!system.empty()) system += "\n\n";
  system +=
      "# Tools\n\nThere are functions that you can call when they help you to answer. To call "
      "one, end your answer with\n\n";
  system += form.list_begin + call_text(format, {.name = "NAME"}, "ARGUMENTS") + form.list_end;
  system +=
      "\n\nwhere NAME is the name of the function and ARGUMENTS a JSON object with its "
      "parameters. You will be given the result. The functions are:\n";
  for (const Tool& tool : options.tools) system += "\n" + python_json(tool.whole);
  return system;
}

// --- DeepSeek ---

class DeepseekRenderer {
 public:
  DeepseekRenderer(const RenderOptions& options, DeepseekStyle style)
      : options_(options), style_(style) {}

  std::string render(Messages messages) {
    text_ = joined({kBos, with_tools(system_of(messages), options_, ToolFormat::kDeepseek)});
    for (const ChatMessage& message : messages) {
      if (message.role == "user") add_user(message);
      if (message.role == "assistant" && message.tool_calls.empty()) add_answer(message);
      if (message.role == "assistant" && !message.tool_calls.empty()) add_calls(message);
      if (message.role == "tool") add_result(message);
    }
    if (after_result_) text_ += kOutputsEnd;
    if (options_.add_generation_prompt && !after_result_) add_prompt();
    return std::move(text_);
  }

 private:
  static constexpr std::string_view kOutputsBegin = "<｜tool▁outputs▁begin｜>";
  static constexpr std::string_view kOutputsEnd = "<｜tool▁outputs▁end｜>";

  std::string system_of(Messages messages) const {
    std::string system;
    bool first = true;
    for (const ChatMessage& message : messages) {
      if (message.role != "system") continue;
      if (style_.join_system)
        system += (first ? "" : "\n\n") + message.content;
      else
        system = message.content;
      first = false;
    }
    return system;
  }

  void add_user(const ChatMessage& message) {
    text_ += joined({kUser, message.content, style_.marks_with_user ? kAssistant : ""});
    after_result_ = false;
    answer_marked_ = style_.marks_with_user;
    if (style_.marks_with_user) calls_begun_ = false;
  }

  std::string_view mark() const { return style_.marks_with_user ? "" : kAssistant; }

  void add_answer(const ChatMessage& message) {
    const std::string_view answer = after_thoughts(message.content);
    if (after_result_)
      text_ += joined({kOutputsEnd, style_.marks_with_user ? answer : message.content});
    else
      text_ += joined({mark(), answer});
    text_ += kDeepseekEnd;
    after_result_ = answer_marked_ = false;
  }

  // But for R1-0528 the templates remember the first list of calls (and of results) and open no
  // further one: so do we.
  void add_calls(const ChatMessage& message) {
    if (style_.marks_with_user) {
      if (after_result_) text_ += kOutputsEnd;
      calls_begun_ = false;
      results_begun_ = false;
    }
    after_result_ = answer_marked_ = false;
    const ToolCallForm form = tool_call_form(ToolFormat::kDeepseek);
    const std::string end = joined({form.list_end, kDeepseekEnd});
    const bool thoughts_go = style_.marks_with_user || style_.distill;
    const std::string_view content =
        thoughts_go ? after_thoughts(message.content) : std::string_view(message.content);
    if (style_.distill && calls_begun_) text_ += content;
    for (const ToolCall& call : message.tool_calls) {
      const bool begun = std::exchange(calls_begun_, true);
      text_ += begun ? form.between : joined({mark(), content, form.list_begin});
      text_ += call_text(ToolFormat::kDeepseek, call, raw_arguments(call));
      if (style_.distill && begun) text_ += end;
    }
    if (!style_.distill) text_ += end;
  }

  void add_result(const ChatMessage& message) {
    const bool begun = std::exchange(results_begun_, true);
    const bool breaks = style_.marks_with_user || style_.distill;
    text_ += joined({begun ? (breaks ? "\n" : "") : kOutputsBegin, "<｜tool▁output▁begin｜>",
                     message.content, "<｜tool▁output▁end｜>"});
    after_result_ = true;
    answer_marked_ = false;
  }

  void add_prompt() {
    if (!answer_marked_) text_ += kAssistant;
    if (!options_.enable_thinking)
      text_ += kNoThoughts;
    else if (style_.prefill_think)
      text_ += "<think>\n";
  }

  const RenderOptions& options_;
  DeepseekStyle style_;
  std::string text_;
  bool answer_marked_ = false;  // <｜Assistant｜> stands at the end
  bool after_result_ = false;   // the list of results is open
  bool calls_begun_ = false, results_begun_ = false;
};

// --- Qwen ---

std::string chatml(std::string_view role, std::string_view content) {
  return joined({"<|im_start|>", role, "\n", content, kChatmlEnd});
}

std::string qwen_tools(std::span<const Tool> tools) {
  std::string text =
      "# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are "
      "provided with function signatures within <tools></tools> XML tags:\n<tools>";
  for (const Tool& tool : tools) text += "\n" + python_json(tool.whole);
  text +=
      "\n</tools>\n\nFor each function call, return a json object with function name and "
      "arguments within <tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": "
      "<function-name>, \"arguments\": <args-json-object>}\n</tool_call>";
  return text;
}

// Results that follow each other share a turn of the user's.
std::string qwen_result(Messages messages, size_t i) {
  const auto is_tool = [&](size_t at) {
    return at < messages.size() && messages[at].role == "tool";
  };
  return joined({i > 0 && is_tool(i - 1) ? "" : "<|im_start|>user", "\n", kToolResponse, "\n",
                 messages[i].content, "\n", kToolResponseEnd, is_tool(i + 1) ? "" : kChatmlEnd});
}

struct Qwen3Answer {
  std::string_view reasoning, content;
};

// Thoughts come on their own or before </think> in the content.
Qwen3Answer split_qwen3(const ChatMessage& message) {
  const std::string_view content = message.content;
  if (!message.reasoning.empty() || content.find(kThinkEnd) == std::string_view::npos)
    return {message.reasoning, content};
  std::string_view reasoning = content.substr(0, content.find(kThinkEnd));
  reasoning = without_breaks(reasoning, false, true);
  constexpr std::string_view kThink = "<think>";
  const size_t start = reasoning.rfind(kThink);
  if (start != std::string_view::npos) reasoning = reasoning.substr(start + kThink.size());
  return {without_breaks(reasoning, true, false),
          without_breaks(after_thoughts(content), true, false)};
}

// Thoughts stay only in answers behind the last question, which a tool's result is not.
size_t last_query(Messages messages) {
  for (size_t i = messages.size(); i-- > 0;) {
    const std::string& content = messages[i].content;
    if (messages[i].role == "user" &&
        !(content.starts_with(kToolResponse) && content.ends_with(kToolResponseEnd)))
      return i;
  }
  return messages.size() - 1;
}

std::string qwen3_turn(const ChatMessage& message, bool behind_query, bool last, bool open) {
  const Qwen3Answer answer = split_qwen3(message);
  std::string text(answer.content);
  const bool open_thoughts = last && open && text.starts_with("<think>");
  if (behind_query && !open_thoughts && (last || !answer.reasoning.empty()))
    text = joined({"<think>\n", without_breaks(answer.reasoning, true, true), "\n</think>\n\n",
                   without_breaks(answer.content, true, false)});
  for (size_t i = 0; i < message.tool_calls.size(); ++i) {
    if (i > 0 || !answer.content.empty()) text += "\n";
    const ToolCall& call = message.tool_calls[i];
    text += call_text(ToolFormat::kHermes, call, raw_arguments(call));
  }
  return chatml(message.role, text);
}

// --- Llama ---

std::string llama_header(std::string_view role) {
  return joined({"<|start_header_id|>", role, "<|end_header_id|>\n\n"});
}

std::string llama_turn(std::string_view role, std::string_view content) {
  return joined({llama_header(role), stripped(content), kLlamaEnd});
}

std::string llama_calls(const ChatMessage& message) {
  std::string text;
  for (const ToolCall& call : message.tool_calls) {
    if (!text.empty()) text += tool_call_form(ToolFormat::kLlama3).between;
    text += call_text(ToolFormat::kLlama3, call, json_arguments(call));
  }
  return text;
}

std::string llama_question(std::span<const Tool> tools, std::string_view question) {
  std::string text =
      "Given the following functions, please respond with a JSON for a function call with its "
      "proper arguments that best answers the given prompt.\n\nRespond in the format {\"name\": "
      "function name, \"parameters\": dictionary of argument name and its value}.Do not use "
      "variables.\n\n";
  for (const Tool& tool : tools) text += python_json(tool.whole, 4) + "\n\n";
  return joined({llama_header("user"), text, stripped(question), kLlamaEnd});
}

std::string llama31_turn(const ChatMessage& message) {
  if (message.role == "tool")  // the template takes any text for a list, and writes it as JSON
    return joined({llama_header("ipython"), python_json(message.content), kLlamaEnd});
  if (!message.tool_calls.empty())
    return joined({llama_header(message.role), llama_calls(message), kLlamaEnd});
  return llama_turn(message.role, message.content);
}

}  // namespace

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string render_deepseek(Messages messages, const RenderOptions& options, DeepseekStyle style) {
  return DeepseekRenderer(options, style).render(messages);
}

std::string render_qwen25(Messages messages, const RenderOptions& options) {
  const bool has_system = messages[0].role == "system";
  std::string system(has_system ? std::string_view(messages[0].content) : kQwenSystem);
  if (!options.tools.empty()) system += "\n\n" + qwen_tools(options.tools);
  std::string text = chatml("system", system);
  for (size_t i = has_system ? 1 : 0; i < messages.size(); ++i) {
    const ChatMessage& message = messages[i];
    if (message.role == "tool") {
      text += qwen_result(messages, i);
    } else if (message.tool_calls.empty()) {
      text += chatml(message.role, message.content);
    } else {
      text += "<|im_start|>" + message.role;
      if (!message.content.empty()) text += "\n" + message.content;
      for (const ToolCall& call : message.tool_calls)
        text += "\n" + call_text(ToolFormat::kHermes, call, json_arguments(call));
      text += kChatmlEnd;
    }
  }
  if (options.add_generation_prompt) text += "<|im_start|>assistant\n";
  return text;
}

std::string render_qwen3(Messages messages, const RenderOptions& options) {
  const bool has_system = messages[0].role == "system";
  std::string system(has_system ? std::string_view(messages[0].content) : "");
  if (!options.tools.empty()) system += (has_system ? "\n\n" : "") + qwen_tools(options.tools);
  std::string text;
  if (has_system || !options.tools.empty()) text = chatml("system", system);
  const size_t query = last_query(messages);
  for (size_t i = has_system ? 1 : 0; i < messages.size(); ++i) {
    const ChatMessage& message = messages[i];
    if (message.role == "tool")
      text += qwen_result(messages, i);
    else if (message.role == "assistant")
      text +=
          qwen3_turn(message, i > query, i + 1 == messages.size(), options.continue_final_message);
    else
      text += chatml(message.role, message.content);
  }
  if (options.add_generation_prompt)
    text += joined({"<|im_start|>assistant\n", options.enable_thinking ? "" : kNoThoughts});
  return text;
}

Result<std::string> render_llama31(Messages messages, const RenderOptions& options) {
  const bool has_system = messages[0].role == "system";
  std::string text = joined({"<|begin_of_text|>", llama_header("system"),
                             options.tools.empty() ? "" : "Environment: ipython\n",
                             "Cutting Knowledge Date: December 2023\nToday Date: ", kLlamaDate,
                             "\n\n", has_system ? stripped(messages[0].content) : "", kLlamaEnd});
  messages = messages.subspan(has_system ? 1 : 0);
  if (!options.tools.empty()) {
    if (messages.empty())
      return Failure{{.what = "there is no message that the tools could be told with",
                      .where = "messages",
                      .mend = "add one of the user's"}};
    text += llama_question(options.tools, messages[0].content);
    messages = messages.subspan(1);
  }
  for (const ChatMessage& message : messages) text += llama31_turn(message);
  if (options.add_generation_prompt) text += llama_header("assistant");
  return text;
}

std::string render_llama30(Messages messages, const RenderOptions& options) {
  std::string text = "<|begin_of_text|>";
  if (!options.tools.empty()) {
    const bool has_system = messages[0].role == "system";
    text += llama_turn(
        "system", with_tools(has_system ? messages[0].content : "", options, ToolFormat::kLlama3));
    messages = messages.subspan(has_system ? 1 : 0);
  }
  for (const ChatMessage& message : messages)
    text += llama_turn(message.role, message.content + llama_calls(message));
  if (options.add_generation_prompt) text += llama_header("assistant");
  return text;
}

}  // namespace ponder
