// Who answers the questions of a suite: a model in this process or behind an address. What it gave,
// and what it took.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "io/json.hpp"

namespace ponder {

struct Question {
  std::string id;  // of this sample, unique in its run: the same when it is asked again
  std::string prompt;
  uint64_t seed = 0;
};

// How answers are chosen.
struct AskOptions {
  double temperature = 0.6;
  double top_p = 0.95;
  int64_t max_tokens = 32768;  // of an answer, thoughts included
};

// Tokens as they are billed.
struct TokenUsage {
  int64_t input = 0;        // all of the prompt
  int64_t cached = 0;       // of it, read from a cache
  int64_t cache_write = 0;  // of it, written to one
  int64_t output = 0;       // thoughts and answer
  int64_t reasoning = 0;    // of it, thoughts
  bool told = false;        // by who answered; otherwise our own count
};

enum class AnswerEnd { kStop, kLength, kFiltered };
std::string_view answer_end_name(AnswerEnd end);  // "stop", "length", "filtered"
std::optional<AnswerEnd> find_answer_end(std::string_view name);

struct Reply {
  std::string text;       // without thoughts, where they come apart
  std::string reasoning;  // thoughts, where they are shown
  AnswerEnd end = AnswerEnd::kStop;
  TokenUsage usage;
  std::string doubts = {};   // what is odd about the usage that was told
  std::string served = {};   // the model's name as the server says it
  double seconds = 0.0;      // of the attempt that succeeded
  double first_seconds = 0;  // of these, until the first piece of text
  int attempts = 1;
  int64_t lost_tokens = 0;  // about: received in attempts that were cut, perhaps billed
};

// What became of a question.
struct Asked {
  std::optional<Reply> reply;
  Error error = {};      // without a reply
  bool stopped = false;  // by the flag: nothing is wrong
  bool fatal = false;    // no other question would fare better
  int64_t lost_tokens = 0;
};

class AnsweringModel {
 public:
  virtual ~AnsweringModel() = default;
  // Waits for the answer. From many threads.
  virtual Asked ask(const Question& question, const AskOptions& options,
                    const std::atomic<bool>& stop) = 0;
  // Name and whatever else decides what it answers, for the record; no secrets.
  virtual OrderedJson describe() const = 0;
  virtual int concurrency() const = 0;  // questions that are asked at a time
  virtual bool local() const = 0;       // time of this machine is what it costs
};

}  // namespace ponder
