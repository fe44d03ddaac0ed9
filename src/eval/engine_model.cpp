#include "eval/engine_model.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "core/dtype.hpp"
#include "text/answer_parser.hpp"

namespace ponder {
namespace {

constexpr std::chrono::milliseconds kLook{50};  // at the flag that stops

// Gathers one answer; the engine's thread writes, the asking one waits.
class Gathering : public GenerationSink {
 public:
  Gathering(const Tokenizer& tokenizer, ThoughtOptions thoughts)
      : parser_(tokenizer, {.thoughts = thoughts}) {}

  bool on_token(const TokenEvent& event) override {
    take(parser_.push(event.token));
    return true;
  }

  void on_finish(const FinishEvent& event) override {
    take(parser_.finish());
    const RequestTimings& times = event.timings;
    reply_.seconds = times.prompt_seconds + times.generate_seconds;
    reply_.first_seconds = times.prompt_seconds;
    const bool ended = event.reason == FinishReason::kStop;
    reply_.end = ended ? AnswerEnd::kStop : AnswerEnd::kLength;
    const AnswerCounts& counts = parser_.counts();
    reply_.usage = {.input = event.prompt_tokens,
                    .cached = event.cached_tokens,
                    .output = event.generated_tokens,
                    .reasoning = counts.reasoning_tokens,
                    .told = true};
    end(event.reason == FinishReason::kCancelled, {});
  }

  void on_error(const Error& error) override { end(false, error); }

  Asked wait(Engine& engine, uint64_t id, const std::atomic<bool>& stop) {
    std::unique_lock lock(mutex_);
    while (!done_) {
      changed_.wait_for(lock, kLook);
      if (!stop || done_ || std::exchange(cancelled_, true)) continue;
      lock.unlock();
      engine.cancel(id);
      lock.lock();
    }
    Asked asked;
    asked.stopped = cancelled_ && stopped_;
    asked.error = error_;
    if (!stopped_ && error_.what.empty()) asked.reply = std::move(reply_);
    return asked;
  }

 private:
  void take(const std::vector<AnswerDelta>& deltas) {
    for (const AnswerDelta& delta : deltas) {
      if (delta.channel == Channel::kContent) reply_.text += delta.text;
      if (delta.channel == Channel::kReasoning) reply_.reasoning += delta.text;
    }
  }

  void end(bool stopped, Error error) {
    const std::lock_guard lock(mutex_);
    done_ = true;
    stopped_ = stopped;
    error_ = std::move(error);
    changed_.notify_all();
  }

  AnswerParser parser_;  // with reply_: the engine's thread's, until done_
  Reply reply_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false, stopped_ = false, cancelled_ = false;
  Error error_;
};

class EngineModel : public AnsweringModel {
 public:
  EngineModel(Engine& engine, Tokenizer tokenizer, ChatTemplate chat, EngineModelOptions options)
      : engine_(engine),
        tokenizer_(std::move(tokenizer)),
        chat_(std::move(chat)),
        options_(std::move(options)) {}

  Asked ask(const Question& question, const AskOptions& options,
            const std::atomic<bool>& stop) override {
    const ChatMessage message{.role = "user", .content = question.prompt};
    const std::span<const ChatMessage> messages(&message, 1);
    const RenderOptions render{.enable_thinking = options_.think};
    auto prompt = chat_.render(messages, render);
    if (!prompt.ok()) return Asked{.reply = {}, .error = prompt.error()};
    GenerationRequest request;
    request.prompt = tokenizer_.encode(prompt.value(), {.add_bos = false});
    request.sampling.temperature = static_cast<float>(options.temperature);
    request.sampling.top_p = static_cast<float>(options.top_p);
    request.sampling.seed = question.seed;
    request.max_tokens = options.max_tokens;
    request.is_end = [this](int32_t id) { return tokenizer_.is_end(id); };
    const ThoughtOptions thoughts{.reasons = chat_.reasons(),
                                  .starts_inside = chat_.opens_thinking(messages, render)};
    auto sink = std::make_shared<Gathering>(tokenizer_, thoughts);
    const Submitted submitted = engine_.submit(std::move(request), sink);
    if (submitted.error != SubmitError::kNone)
      return Asked{.reply = {},
                   .error = submitted.why,
                   .stopped = false,
                   .fatal = submitted.error == SubmitError::kStopping};
    return sink->wait(engine_, submitted.id, stop);
  }

  OrderedJson describe() const override {
    const EngineOptions& engine = engine_.options();
    const Model& model = engine_.model();
    return {{"kind", "engine"},
            {"name", options_.name},
            {"file", model.path().filename().string()},
            {"bytes", model.file_bytes()},
            {"format", dtype_name(model.main_dtype())},
            {"template", chat_.name()},
            {"think", options_.think},
            {"context", engine.context},
            {"kv_type", dtype_name(engine.kv_dtype)},
            {"isa", isa_name(model.isa())}};
  }

  int concurrency() const override { return options_.concurrency; }
  bool local() const override { return true; }

 private:
  Engine& engine_;
  Tokenizer tokenizer_;
  ChatTemplate chat_;
  EngineModelOptions options_;
};

}  // namespace

std::unique_ptr<AnsweringModel> make_engine_model(Engine& engine, Tokenizer tokenizer,
                                                  ChatTemplate chat, EngineModelOptions options) {
  return std::make_unique<EngineModel>(engine, std::move(tokenizer), std::move(chat),
                                       std::move(options));
}

}  // namespace ponder
