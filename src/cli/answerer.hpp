// Who answers in `ponder chat`: a model in this process, or a server.
#pragma once

#include <memory>
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

// Where an answer goes while it comes.
struct AnswerSinks {
  TextSink on_text;
  std::function<bool(double seconds)> on_thought;  // thinking ended; false: stop
  ProgressSink progress;                           // of the prompt
};

class Answerer {
 public:
  virtual ~Answerer() = default;

  // The next message of the assistant. `seed_offset`: the same question again, otherwise. Ctrl-C
  // gives an answer with the reason kCancelled, possibly empty.
  virtual Result<Answer> answer(const Conversation& conversation, const ChatSettings& settings,
                                uint64_t seed_offset, const AnswerSinks& sinks) = 0;

  virtual std::string greeting() const = 0;  // who it is
  // Tokens of the conversation as of the last answer, and how many it may have; 0: unknown.
  virtual int64_t used() const = 0;
  virtual int64_t capacity() const = 0;
  // What the last answer took, in a few lines.
  virtual std::string stats(const Answer& answer, bool style) const = 0;
  // "temperature 0.6, top-p 0.95": how it chooses tokens.
  virtual std::string sampling(const ChatSettings& settings) const = 0;
};

// `loaded` must outlive it.
std::unique_ptr<Answerer> make_local_answerer(const LoadedModel& loaded, Tokenizer tokenizer,
                                              ChatTemplate chat_template, Session session);

struct RemoteOptions {
  std::string url;    // with or without "/v1"
  std::string key;    // of the API; empty: none
  std::string model;  // empty: the first one that the server lists
};
// A server that speaks OpenAI's API. Asks it for its models.
Result<std::unique_ptr<Answerer>> make_remote_answerer(const RemoteOptions& options);

}  // namespace ponder
