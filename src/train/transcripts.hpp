// What a model under training answers to a few prompts, now and then: lines of samples.jsonl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/chat_template.hpp"
#include "train/run.hpp"

namespace ponder {

class Transcripts {
 public:
  // Keys of [samples]: prompts, every (steps), tokens (of an answer at most).
  static Result<Transcripts> read(const TrainRun& run, const std::optional<ChatTemplate>& chat);

  // Lets rank 0 answer, greedily, if it is time after `done` steps: {"step", "prompt", "answer"}.
  Result<void> write(TrainRun& run, int64_t done) const;

 private:
  Transcripts() = default;

  std::optional<ChatTemplate> chat_;
  std::vector<std::string> prompts_;
  int64_t every_ = 0;
  int64_t tokens_ = 0;
};

}  // namespace ponder
