// A reward of the user's own: a command that is asked for every answer. It reads one JSON object a
// line, {"id", "prompt", "answer", "response"}, and writes one a line, {"reward": NUMBER}, in the
// same order. It is started once and keeps running.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/result.hpp"
#include "io/json.hpp"

namespace ponder {

struct RewardCommandOptions {
  std::string command;    // for /bin/sh -c
  double seconds = 10.0;  // for one answer
  double least = -1e6, most = 1e6;
};

// One thread at a time. SIGPIPE must be ignored, as the program does.
class RewardCommand {
 public:
  explicit RewardCommand(RewardCommandOptions options) : options_(std::move(options)) {}
  RewardCommand(const RewardCommand&) = delete;
  RewardCommand& operator=(const RewardCommand&) = delete;
  ~RewardCommand();  // ends the command with all that it has started

  // The reward of one answer. After an error (time, end of the command, a line that is no reward)
  // the command is ended, and started anew for the next answer.
  Result<double> ask(const Json& question);

 private:
  Result<void> start();
  void end();
  Result<std::string> exchange(const std::string& line);

  RewardCommandOptions options_;
  pid_t child_ = -1;
  int to_ = -1, from_ = -1;  // pipes to and from the command
  std::string read_;         // what it has written behind its last line
};

}  // namespace ponder
