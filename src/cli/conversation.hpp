// A conversation as a file: what /save writes and /load reads.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "text/chat_template.hpp"

namespace ponder {

struct Conversation {
  std::string system;                 // empty: none
  std::vector<ChatMessage> messages;  // user and assistant in turns, beginning with user

  // With the system message in front, for rendering.
  std::vector<ChatMessage> all() const;
};

// {"format": "ponder-chat", "version": 1, "messages": [{"role", "content", "reasoning"?}]}
std::string conversation_text(const Conversation& conversation);
// Checks everything: the text may come from anybody. `where` names it in errors.
Result<Conversation> parse_conversation(std::string_view text, const std::string& where);

Result<void> save_conversation(const Conversation& conversation, const std::filesystem::path& path);
Result<Conversation> load_conversation(const std::filesystem::path& path);

}  // namespace ponder
