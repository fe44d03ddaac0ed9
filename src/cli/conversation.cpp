#include "cli/conversation.hpp"

#include "base/file.hpp"
#include "cli/json_output.hpp"

namespace ponder {
namespace {

constexpr std::string_view kFormat = "ponder-chat";
constexpr int kVersion = 1;
constexpr uint64_t kFileLimit = 64u << 20;

OutputJson message_json(const ChatMessage& message) {
  OutputJson json = {{"role", message.role}, {"content", message.content}};
  if (!message.reasoning.empty()) json["reasoning"] = message.reasoning;
  return json;
}

Result<ChatMessage> parse_message(const Json& json, const std::string& where) {
  if (!json.is_object()) return Failure{{.what = "a message that is no object", .where = where}};
  ChatMessage message;
  message.role = PONDER_TRY(text_field(json, "role", where));
  message.content = PONDER_TRY(text_field(json, "content", where));
  message.reasoning = PONDER_TRY(text_field_or(json, "reasoning", where, ""));
  return message;
}

// Puts a message where it belongs, if its turn has come.
Result<void> append(Conversation& conversation, ChatMessage message, const std::string& where) {
  auto& messages = conversation.messages;
  if (message.role == "system" && messages.empty() && conversation.system.empty()) {
    conversation.system = std::move(message.content);
    return {};
  }
  const char* expected = messages.size() % 2 == 0 ? "user" : "assistant";
  if (message.role != expected)
    return Failure{{.what = std::string("the role must be ") + expected, .where = where}};
  messages.push_back(std::move(message));
  return {};
}

}  // namespace

std::vector<ChatMessage> Conversation::all() const {
  std::vector<ChatMessage> result;
  if (!system.empty()) result.push_back({.role = "system", .content = system});
  result.insert(result.end(), messages.begin(), messages.end());
  return result;
}

std::string conversation_text(const Conversation& conversation) {
  OutputJson json = {{"format", kFormat}, {"version", kVersion}};
  auto& messages = json["messages"] = OutputJson::array();
  for (const ChatMessage& message : conversation.all()) messages.push_back(message_json(message));
  return json_text(json, 2);
}

Result<Conversation> parse_conversation(std::string_view text, const std::string& where) {
  const Json json = PONDER_TRY(parse_json(text, where, 8));
  const auto format = text_field(json, "format", where);
  if (!format.ok() || format.value() != kFormat)
    return Failure{{.what = "not a conversation saved by ponder", .where = where}};
  PONDER_TRY(integer_field(json, "version", where, {.least = kVersion, .most = kVersion}));
  const Json* messages = find_field(json, "messages");
  if (messages == nullptr || !messages->is_array())
    return Failure{{.what = "no list of messages", .where = where}};
  Conversation conversation;
  for (size_t i = 0; i < messages->size(); ++i) {
    const std::string place = where + ": message " + std::to_string(i);
    ChatMessage message = PONDER_TRY(parse_message((*messages)[i], place));
    PONDER_TRY(append(conversation, std::move(message), place));
  }
  if (conversation.messages.size() % 2 != 0)
    return Failure{{.what = "the last message has no answer", .where = where}};
  return conversation;
}

Result<void> save_conversation(const Conversation& conversation,
                               const std::filesystem::path& path) {
  return write_file(path, conversation_text(conversation));
}

Result<Conversation> load_conversation(const std::filesystem::path& path) {
  const std::string text = PONDER_TRY(read_file(path, kFileLimit));
  return parse_conversation(text, path.string());
}

}  // namespace ponder
