// A conversation: what `ponder chat` does between two lines of input.
#pragma once

#include <memory>
#include <string>

#include "cli/answerer.hpp"

namespace ponder {

class Chat {
 public:
  // `footer`: print context and speed behind each answer.
  Chat(std::unique_ptr<Answerer> answerer, bool footer)
      : answerer_(std::move(answerer)), footer_(footer) {}

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
  Result<void> show_end(const Answer& answer) const;

  Result<bool> help(std::string_view rest);
  Result<bool> clear(std::string_view rest);
  Result<bool> system(std::string_view rest);
  Result<bool> set(std::string_view rest);
  Result<bool> save(std::string_view rest);
  Result<bool> load(std::string_view rest);
  Result<bool> regen(std::string_view rest);
  Result<bool> leave(std::string_view rest);

  std::unique_ptr<Answerer> answerer_;
  bool footer_;
  Conversation conversation_;
  ChatSettings settings_;
  uint64_t regenerations_ = 0;  // of the last message
};

}  // namespace ponder
