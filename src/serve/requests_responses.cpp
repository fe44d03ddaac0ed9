// OpenAI's /v1/responses.
#include "io/printable.hpp"
#include "serve/checked_json.hpp"
#include "serve/requests.hpp"
#include "serve/schema_check.hpp"
#include "serve/schemas.hpp"

namespace ponder {
namespace {

Failure missing(const std::string& where) {
  return Failure{{.what = "is missing", .where = where}};
}

// Calls and thoughts are items of their own; together with the text they make one message.
ChatMessage& assistant_turn(std::vector<ChatMessage>& messages, bool new_text) {
  if (messages.empty() || messages.back().role != "assistant" ||
      (new_text && !(messages.back().content.empty() && messages.back().tool_calls.empty())))
    messages.push_back({.role = "assistant", .content = ""});
  return messages.back();
}

Result<void> add_message(std::vector<ChatMessage>& messages, const OrderedJson& item,
                         const std::string& where) {
  std::string role = text_in(item, "role");
  if (role.empty()) return missing(where + ".role");
  const OrderedJson* content = field_of(item, "content");
  if (content == nullptr) return missing(where + ".content");
  PONDER_TRY(check_schema(*content, request_schemas().at("ResponseContent"), request_schemas(),
                          where + ".content"));
  if (role == "developer") role = "system";
  if (role == "assistant") {
    assistant_turn(messages, true).content = joined_text(*content);
  } else {
    messages.push_back({.role = role, .content = joined_text(*content)});
  }
  return {};
}

Result<void> add_item(std::vector<ChatMessage>& messages, const OrderedJson& item,
                      const std::string& where) {
  const std::string type = text_in(item, "type");
  if (type == "function_call") {
    if (field_of(item, "name") == nullptr) return missing(where + ".name");
    assistant_turn(messages, false)
        .tool_calls.push_back({.id = text_in(item, "call_id"),
                               .name = text_in(item, "name"),
                               .arguments = text_in(item, "arguments")});
  } else if (type == "function_call_output") {
    const OrderedJson* output = field_of(item, "output");
    if (output == nullptr) return missing(where + ".output");
    messages.push_back({.role = "tool",
                        .content = joined_text(*output),
                        .tool_call_id = text_in(item, "call_id")});
  } else if (type == "reasoning") {
    const OrderedJson* content = field_of(item, "content");
    if (content != nullptr && content->is_array())
      for (const OrderedJson& part : *content)
        if (const OrderedJson* text = field_of(part, "text"); text != nullptr && text->is_string())
          assistant_turn(messages, true).reasoning += text->get<std::string>();
  } else {
    return add_message(messages, item, where);
  }
  return {};
}

ToolChoice parse_tool_choice(const OrderedJson& body) {
  const OrderedJson* choice = field_of(body, "tool_choice");
  if (choice == nullptr) return {};
  if (choice->is_object())
    return {.kind = ToolChoice::Kind::kNamed, .name = text_in(*choice, "name")};
  const auto name = choice->get<std::string>();
  return {.kind = name == "none"       ? ToolChoice::Kind::kNone
                  : name == "required" ? ToolChoice::Kind::kRequired
                                       : ToolChoice::Kind::kAuto};
}

bool includes_log_probabilities(const OrderedJson& body) {
  const OrderedJson* include = field_of(body, "include");
  return include != nullptr && std::find(include->begin(), include->end(),
                                         "message.output_text.logprobs") != include->end();
}

// What the answer repeats of the request.
OrderedJson repeated_fields(const OrderedJson& body) {
  const std::pair<const char*, OrderedJson> defaults[] = {
      {"instructions", nullptr},
      {"max_output_tokens", nullptr},
      {"metadata", OrderedJson::object()},
      {"parallel_tool_calls", true},
      {"previous_response_id", nullptr},
      {"reasoning", nullptr},
      {"text", {{"format", {{"type", "text"}}}}},
      {"tool_choice", "auto"},
      {"tools", OrderedJson::array()},
      {"truncation", "disabled"},
      {"user", nullptr}};
  OrderedJson fields = OrderedJson::object();
  for (const auto& [name, absent] : defaults) {
    const OrderedJson* field = field_of(body, name);
    fields[name] = field == nullptr ? absent : *field;
  }
  return fields;
}

}  // namespace

Result<ResponseRequest> parse_response_request(const OrderedJson& body,
                                               std::vector<ChatMessage> earlier) {
  ResponseRequest request;
  ChatRequest& chat = request.chat;
  chat.generation = PONDER_TRY(parse_generation(body));
  // Instructions are not carried over from the response before.
  if (const OrderedJson* instructions = field_of(body, "instructions"))
    chat.messages.push_back({.role = "system", .content = instructions->get<std::string>()});
  chat.messages.insert(chat.messages.end(), std::make_move_iterator(earlier.begin()),
                       std::make_move_iterator(earlier.end()));
  const OrderedJson& input = body.at("input");
  if (input.is_string()) {
    chat.messages.push_back({.role = "user", .content = input.get<std::string>()});
  } else {
    for (size_t i = 0; i < input.size(); ++i)
      PONDER_TRY(add_item(chat.messages, input[i], "input[" + std::to_string(i) + "]"));
  }
  if (chat.messages.empty()) return Failure{{.what = "has no message", .where = "input"}};
  std::vector<Tool> tools = PONDER_TRY(parse_tools(body, "parameters"));
  PONDER_TRY(set_tools(chat, std::move(tools), parse_tool_choice(body)));
  if (const OrderedJson* list = field_of(body, "tools"))
    chat.strict_tools = std::any_of(list->begin(), list->end(), [](const OrderedJson& tool) {
      return bool_in(tool, "strict");
    });
  if (field_of(body, "parallel_tool_calls") != nullptr)
    chat.parallel_calls = bool_in(body, "parallel_tool_calls");
  chat.format = PONDER_TRY(parse_output_format(body));
  chat.thinking = PONDER_TRY(parse_thinking(body));
  request.previous = text_in(body, "previous_response_id");
  request.store = bool_in(body, "store", true);
  request.echo = repeated_fields(body);
  if (includes_log_probabilities(body))
    chat.generation.likely = static_cast<int>(integer_in(body, "top_logprobs").value_or(0));
  return request;
}

}  // namespace ponder
