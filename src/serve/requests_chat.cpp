#include <algorithm>

#include "io/printable.hpp"
#include "serve/checked_json.hpp"
#include "serve/requests.hpp"

namespace ponder {
namespace {

bool is_tool_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

Result<void> check_tool_name(const std::string& name, const std::string& where) {
  if (is_tool_name(name)) return {};
  return Failure{
      {.what = "must consist of letters, digits, '_', '-' and '.', is " + printable(name),
       .where = where}};
}

Result<ToolCall> parse_tool_call(const OrderedJson& call, const std::string& where) {
  const OrderedJson& function = call.at("function");
  ToolCall result{.id = text_in(call, "id"), .name = text_in(function, "name")};
  PONDER_TRY(check_tool_name(result.name, where + ".function.name"));
  const OrderedJson& arguments = function.at("arguments");
  result.arguments = arguments.is_string() ? arguments.get<std::string>() : arguments.dump();
  return result;
}

Result<ChatMessage> parse_chat_message(const OrderedJson& message, const std::string& where) {
  ChatMessage result{.role = text_in(message, "role"), .content = ""};
  if (result.role == "developer") result.role = "system";
  const OrderedJson* content = field_of(message, "content");
  if (content != nullptr) result.content = joined_text(*content);
  const OrderedJson* calls = field_of(message, "tool_calls");
  if (result.role == "assistant") {
    result.reasoning = text_in(message, "reasoning_content");
    if (result.reasoning.empty()) result.reasoning = text_in(message, "reasoning");
    for (size_t i = 0; calls != nullptr && i < calls->size(); ++i)
      result.tool_calls.push_back(PONDER_TRY(
          parse_tool_call((*calls)[i], where + ".tool_calls[" + std::to_string(i) + "]")));
  }
  if (result.role == "tool") {
    result.tool_call_id = text_in(message, "tool_call_id");
    result.name = text_in(message, "name");
  }
  const bool may_lack =
      result.role == "assistant" && !(result.tool_calls.empty() && result.reasoning.empty());
  if (content == nullptr && !may_lack)
    return Failure{{.what = "is missing", .where = where + ".content"}};
  return result;
}

ToolChoice parse_tool_choice(const OrderedJson& body) {
  const OrderedJson* choice = field_of(body, "tool_choice");
  if (choice == nullptr) return {};
  if (choice->is_object())
    return {.kind = ToolChoice::Kind::kNamed, .name = text_in(choice->at("function"), "name")};
  const auto name = choice->get<std::string>();
  return {.kind = name == "none"       ? ToolChoice::Kind::kNone
                  : name == "required" ? ToolChoice::Kind::kRequired
                                       : ToolChoice::Kind::kAuto};
}

Result<void> parse_log_probabilities(const OrderedJson& body, GenerationFields& fields) {
  const auto count = integer_in(body, "top_logprobs");
  if (bool_in(body, "logprobs")) {
    fields.likely = static_cast<int>(count.value_or(0));
  } else if (count.value_or(0) > 0) {
    return Failure{{.what = "is only for logprobs: true", .where = "top_logprobs"}};
  }
  return {};
}

Result<void> parse_continuation(const OrderedJson& body, ChatRequest& request) {
  request.continue_final_message = bool_in(body, "continue_final_message");
  request.add_generation_prompt =
      bool_in(body, "add_generation_prompt", !request.continue_final_message);
  if (!request.continue_final_message) return {};
  if (request.add_generation_prompt)
    return Failure{{.what = "cannot be had together with add_generation_prompt",
                    .where = "continue_final_message"}};
  if (request.messages.back().role != "assistant")
    return Failure{
        {.what = "the last message must be the assistant's", .where = "continue_final_message"}};
  return {};
}

}  // namespace

Result<Tool> make_tool(const std::string& name, const OrderedJson* description,
                       const OrderedJson* parameters, const std::string& where) {
  PONDER_TRY(check_tool_name(name, where + ".name"));
  Tool tool{.name = name};
  OrderedJson function = {{"name", name}};
  if (description != nullptr) {
    tool.description = description->get<std::string>();
    function["description"] = tool.description;
  }
  tool.parameters = parameters != nullptr
                        ? *parameters
                        : OrderedJson{{"type", "object"}, {"properties", OrderedJson::object()}};
  function["parameters"] = tool.parameters;
  tool.whole = {{"type", "function"}, {"function", std::move(function)}};
  return tool;
}

Result<std::vector<Tool>> parse_tools(const OrderedJson& body, const std::string& parameters,
                                      const std::string& inside) {
  std::vector<Tool> tools;
  const OrderedJson* list = field_of(body, "tools");
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const OrderedJson& tool = inside.empty() ? (*list)[i] : (*list)[i].at(inside);
    const std::string where = "tools[" + std::to_string(i) + (inside.empty() ? "]" : "]." + inside);
    tools.push_back(PONDER_TRY(make_tool(text_in(tool, "name"), field_of(tool, "description"),
                                         field_of(tool, parameters), where)));
  }
  return tools;
}

Result<void> set_tools(ChatRequest& request, std::vector<Tool> tools, ToolChoice choice) {
  for (size_t i = 0; i < tools.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (tools[i].name == tools[j].name)
        return Failure{{.what = "two tools are named " + printable(tools[i].name),
                        .where = "tools[" + std::to_string(i) + "]"}};
  const bool forced =
      choice.kind == ToolChoice::Kind::kRequired || choice.kind == ToolChoice::Kind::kNamed;
  if (forced && tools.empty())
    return Failure{{.what = "asks for a call, but there are no tools", .where = "tool_choice"}};
  if (choice.kind == ToolChoice::Kind::kNamed &&
      std::none_of(tools.begin(), tools.end(),
                   [&](const Tool& tool) { return tool.name == choice.name; }))
    return Failure{{.what = "there is no tool " + printable(choice.name), .where = "tool_choice"}};
  if (choice.kind == ToolChoice::Kind::kNone) tools.clear();
  request.tools = std::move(tools);
  request.tool_choice = std::move(choice);
  return {};
}

Result<ChatRequest> parse_chat_request(const OrderedJson& body) {
  ChatRequest request;
  request.generation = PONDER_TRY(parse_generation(body));
  PONDER_TRY(parse_log_probabilities(body, request.generation));
  const OrderedJson& messages = body.at("messages");
  for (size_t i = 0; i < messages.size(); ++i)
    request.messages.push_back(
        PONDER_TRY(parse_chat_message(messages[i], "messages[" + std::to_string(i) + "]")));
  std::vector<Tool> tools = PONDER_TRY(parse_tools(body, "parameters", "function"));
  PONDER_TRY(set_tools(request, std::move(tools), parse_tool_choice(body)));
  if (const OrderedJson* list = field_of(body, "tools"))
    request.strict_tools = std::any_of(list->begin(), list->end(), [](const OrderedJson& tool) {
      return bool_in(tool.at("function"), "strict");
    });
  if (field_of(body, "parallel_tool_calls") != nullptr)
    request.parallel_calls = bool_in(body, "parallel_tool_calls");
  request.format = PONDER_TRY(parse_output_format(body));
  request.thinking = PONDER_TRY(parse_thinking(body));
  PONDER_TRY(parse_continuation(body, request));
  return request;
}

}  // namespace ponder
