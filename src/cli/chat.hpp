// A conversation with a loaded model: what `ponder chat` does between two lines of input.
#pragma once

#include <optional>
#include <string>

#include "cli/answer.hpp"
#include "cli/conversation.hpp"
#include "cli/flags.hpp"
#include "cli/sampling_flags.hpp"

namespace ponder {

struct ChatSettings {
  SamplingFlags sampling;
  std::optional<int64_t> max_tokens;  // of one answer
  bool think = true;                  // for templates that can do without
  bool show_thinking = true;
  bool stats = false;
};

class Chat {
 public:
  // `loaded` must outlive the chat. `footer`: print context and speed behind each answer.
  Chat(const LoadedModel& loaded, Tokenizer tokenizer, ChatTemplate chat_template, Session session,
       bool footer);

  // Answers on standard output. Ctrl-C ends the answer; what is there of it stays. On an error, or
  // if nothing came, the conversation is as before.
  Result<void> say(std::string message);
  // Answers the last message again, with other random numbers.
  Result<void> regenerate();

  // Carries out "/name rest". False: leave. Errors name the command or setting.
  Result<bool> command(std::string_view line);

  Conversation& conversation() { return conversation_; }
  ChatSettings& settings() { return settings_; }

 private:
  struct Command;
  static const Command kCommands[];

  Result<void> reply(uint64_t seed_offset);
  Result<AnswerRequest> make_request(uint64_t seed_offset) const;
  Result<void> show_end(const Answer& answer, const SamplingOptions& sampling) const;

  Result<bool> help(std::string_view rest);
  Result<bool> clear(std::string_view rest);
  Result<bool> system(std::string_view rest);
  Result<bool> set(std::string_view rest);
  Result<bool> save(std::string_view rest);
  Result<bool> load(std::string_view rest);
  Result<bool> regen(std::string_view rest);
  Result<bool> leave(std::string_view rest);

  const LoadedModel* loaded_;
  Tokenizer tokenizer_;
  ChatTemplate template_;
  Session session_;
  bool footer_;
  Conversation conversation_;
  ChatSettings settings_;
  uint64_t regenerations_ = 0;  // of the last message
};

}  // namespace ponder
