// Anthropic's /v1/messages.
#include "serve/checked_json.hpp"
#include "serve/requests.hpp"

namespace ponder {
namespace {

// Blocks of one turn: results of tools become messages of their own, in front of the text.
void add_turn(std::vector<ChatMessage>& messages, const std::string& role,
              const OrderedJson& content) {
  ChatMessage turn{.role = role, .content = ""};
  if (content.is_string()) {
    turn.content = content.get<std::string>();
    messages.push_back(std::move(turn));
    return;
  }
  bool has_text = false;
  bool has_results = false;
  for (const OrderedJson& block : content) {
    const std::string type = text_in(block, "type");
    if (type == "text") {
      turn.content += (has_text ? "\n" : "") + text_in(block, "text");
      has_text = true;
    } else if (type == "thinking") {
      turn.reasoning += text_in(block, "thinking");
    } else if (type == "tool_use") {
      turn.tool_calls.push_back({.id = text_in(block, "id"),
                                 .name = text_in(block, "name"),
                                 .arguments = block.at("input").dump()});
    } else if (type == "tool_result") {
      const OrderedJson* result = field_of(block, "content");
      messages.push_back({.role = "tool",
                          .content = result == nullptr ? "" : joined_text(*result),
                          .tool_call_id = text_in(block, "tool_use_id")});
      has_results = true;
    }
  }
  if (role != "assistant") turn.reasoning.clear();
  if (has_text || !has_results) messages.push_back(std::move(turn));
}

ToolChoice parse_tool_choice(const OrderedJson& choice) {
  const std::string type = text_in(choice, "type");
  if (type == "tool") return {.kind = ToolChoice::Kind::kNamed, .name = text_in(choice, "name")};
  return {.kind = type == "any"    ? ToolChoice::Kind::kRequired
                  : type == "none" ? ToolChoice::Kind::kNone
                                   : ToolChoice::Kind::kAuto};
}

}  // namespace

Result<ChatRequest> parse_message_request(const OrderedJson& body) {
  ChatRequest request;
  request.generation = PONDER_TRY(parse_generation(body));
  if (const OrderedJson* system = field_of(body, "system"))
    request.messages.push_back({.role = "system", .content = joined_text(*system)});
  for (const OrderedJson& message : body.at("messages"))
    add_turn(request.messages, text_in(message, "role"), message.at("content"));
  // A last turn of the assistant is to be gone on with.
  request.continue_final_message =
      request.messages.back().role == "assistant" && request.messages.back().tool_calls.empty();
  request.add_generation_prompt = !request.continue_final_message;
  ToolChoice choice;
  if (const OrderedJson* field = field_of(body, "tool_choice")) {
    choice = parse_tool_choice(*field);
    if (bool_in(*field, "disable_parallel_tool_use")) request.parallel_calls = false;
  }
  std::vector<Tool> tools = PONDER_TRY(parse_tools(body, "input_schema"));
  PONDER_TRY(set_tools(request, std::move(tools), std::move(choice)));
  if (const OrderedJson* thinking = field_of(body, "thinking")) {
    request.thinking.enabled = text_in(*thinking, "type") != "disabled";
    request.thinking.budget = integer_in(*thinking, "budget_tokens");
  }
  return request;
}

}  // namespace ponder
