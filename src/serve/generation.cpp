#include "serve/generation.hpp"

#include <deque>
#include <mutex>

namespace ponder {
namespace {

constexpr const char* kStopping = "the server is stopping";

// Three threads meet here: the one that submits, the engine's and one of the server's.
class Generation : public std::enable_shared_from_this<Generation> {
 public:
  Generation(GenerationPlan plan, std::shared_ptr<HttpExchange> exchange)
      : plan_(std::move(plan)), exchange_(std::move(exchange)) {
    outcome_.model = plan_.model.get();
    outcome_.id = plan_.id;
    outcome_.created = plan_.created;
    outcome_.seed = plan_.seed;
    outcome_.prompts = std::move(plan_.prompts);
    outcome_.prompt_tokens.resize(plan_.requests.size());
    for (size_t prompt = 0; prompt < plan_.requests.size(); ++prompt) {
      const GenerationRequest& request = plan_.requests[prompt];
      outcome_.prompt_count += std::ssize(request.prompt);
      for (int i = 0; i < request.choices; ++i) {
        outcome_.choices.push_back({.prompt = static_cast<int>(prompt)});
        ReadingOptions reading = plan_.reading;
        reading.answer.call_seed = plan_.id + std::to_string(readers_.size());
        readers_.emplace_back(plan_.model->tokenizer, std::move(reading));
      }
    }
    unread_.resize(readers_.size());
  }

  void start();

  void on_prompt(size_t prompt, std::span<const TokenEvent> tokens);
  bool on_token(size_t prompt, const TokenEvent& event);
  void on_finish(size_t prompt, const FinishEvent& event);
  void on_error(const Error& error);

 private:
  size_t index(size_t prompt, int choice) const {
    return prompt * outcome_.choices.size() / plan_.requests.size() + static_cast<size_t>(choice);
  }
  void begin();
  void send(std::string text);
  std::string show(size_t choice, std::vector<AnswerDelta> deltas);
  void complete();
  void fail(HttpError error);
  void cancel_all();

  GenerationPlan plan_;
  std::shared_ptr<HttpExchange> exchange_;
  std::mutex mutex_;  // guards the rest
  Outcome outcome_;
  std::vector<AnswerReader> readers_;          // of each choice
  std::vector<std::deque<TokenInfo>> unread_;  // tokens that no piece has taken yet
  std::vector<uint64_t> ids_;                  // of the engine's requests
  bool begun_ = false;                         // the stream
  bool over_ = false;                          // answered, failed, or the client is gone
};

TokenInfo info_of(const TokenEvent& event) {
  return {.token = event.token,
          .log_probability = event.log_probability,
          .likely = {event.likely.begin(), event.likely.end()}};
}

// The engine's view of one prompt of a generation.
class PromptSink : public GenerationSink {
 public:
  PromptSink(std::shared_ptr<Generation> generation, size_t prompt)
      : generation_(std::move(generation)), prompt_(prompt) {}

  void on_prompt(std::span<const TokenEvent> tokens) override {
    generation_->on_prompt(prompt_, tokens);
  }
  bool on_token(const TokenEvent& event) override { return generation_->on_token(prompt_, event); }
  void on_finish(const FinishEvent& event) override { generation_->on_finish(prompt_, event); }
  void on_error(const Error& error) override { generation_->on_error(error); }

 private:
  std::shared_ptr<Generation> generation_;
  size_t prompt_;
};

void Generation::start() {
  exchange_->on_disconnect([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      const std::lock_guard lock(self->mutex_);
      self->over_ = true;
      self->cancel_all();
    }
  });
  for (size_t prompt = 0; prompt < plan_.requests.size(); ++prompt) {
    const Submitted submitted = plan_.model->backend->submit(
        plan_.requests[prompt], std::make_shared<PromptSink>(shared_from_this(), prompt));
    const std::lock_guard lock(mutex_);
    if (submitted.error != SubmitError::kNone) return fail(refusal_error(submitted));
    ids_.push_back(submitted.id);
    if (over_) return cancel_all();
  }
  const std::lock_guard lock(mutex_);
  begin();
}

void Generation::begin() {
  if (!plan_.stream || begun_ || over_) return;
  begun_ = true;
  exchange_->start_stream();
  send(plan_.format->begin(outcome_));
}

void Generation::send(std::string text) {
  if (text.empty() || over_ || exchange_->send(std::move(text))) return;
  over_ = true;
  cancel_all();
}

void Generation::cancel_all() {
  for (const uint64_t id : ids_) plan_.model->backend->cancel(id);
}

void Generation::on_prompt(size_t prompt, std::span<const TokenEvent> tokens) {
  const std::lock_guard lock(mutex_);
  for (const TokenEvent& token : tokens) outcome_.prompt_tokens[prompt].push_back(info_of(token));
}

bool Generation::on_token(size_t prompt, const TokenEvent& event) {
  const std::lock_guard lock(mutex_);
  if (over_) return true;  // it has been cancelled
  begin();
  const size_t choice = index(prompt, event.choice);
  outcome_.choices[choice].log_probability += event.log_probability;
  if (plan_.keep_tokens) unread_[choice].push_back(info_of(event));
  send(show(choice, readers_[choice].push(event.token)));
  return !readers_[choice].stopped();
}

// Adds pieces to a choice; their events, if it is a stream.
std::string Generation::show(size_t choice, std::vector<AnswerDelta> deltas) {
  std::string events;
  std::vector<AnswerSegment>& segments = outcome_.choices[choice].segments;
  std::deque<TokenInfo>& unread = unread_[choice];
  for (const AnswerDelta& delta : deltas) {
    Piece piece{.channel = delta.channel, .text = delta.text, .call = delta.call};
    const bool shown =
        delta.channel != Channel::kMarker && !(delta.text.empty() && delta.id.empty());
    if (shown) {
      piece.opens =
          segments.empty() || segments.back().channel != delta.channel || !delta.id.empty();
      if (piece.opens)
        segments.push_back({.channel = delta.channel, .call_id = delta.id, .name = delta.name});
      piece.first_token = segments.back().tokens.size();
      segments.back().text += delta.text;
    }
    for (int i = 0; i < delta.tokens && !unread.empty(); ++i, unread.pop_front())
      if (shown) segments.back().tokens.push_back(std::move(unread.front()));
    if (shown && plan_.stream)
      events += plan_.format->piece(outcome_, static_cast<int>(choice), piece);
  }
  return events;
}

void Generation::on_finish(size_t prompt, const FinishEvent& event) {
  const std::lock_guard lock(mutex_);
  if (over_) return;
  begin();
  const size_t number = index(prompt, event.choice);
  Choice& choice = outcome_.choices[number];
  AnswerReader& reader = readers_[number];
  if (event.reason == FinishReason::kCancelled && !reader.stopped())
    return fail({.status = 503, .message = kStopping, .code = "stopping"});
  std::string events = show(number, reader.finish());
  choice.counts = reader.counts();
  choice.stop = reader.stop();
  choice.finish = event;
  choice.done = true;
  if (plan_.stream) events += plan_.format->finished(outcome_, static_cast<int>(number));
  send(std::move(events));
  if (outcome_.done()) complete();
}

void Generation::complete() {
  if (over_) return;
  const Usage all = outcome_.usage();  // also of choices that are not kept
  if (plan_.kept < plan_.requests.front().choices) outcome_.keep_best(plan_.kept);
  outcome_.full_usage = all;
  if (plan_.on_complete) plan_.on_complete(outcome_);
  if (plan_.stream) {
    send(plan_.format->end(outcome_));
    if (!over_) exchange_->finish();
  } else {
    exchange_->respond({.body = json_line(plan_.format->whole(outcome_))});
  }
  over_ = true;
}

void Generation::on_error(const Error& error) {
  const std::lock_guard lock(mutex_);
  fail({.status = 500, .message = error.message(), .code = "generation_failed"});
}

void Generation::fail(HttpError error) {
  if (over_) return;
  cancel_all();
  if (begun_) {
    send(plan_.format->failure(error));
    if (!over_) exchange_->finish();
  } else {
    exchange_->respond(plan_.format->refusal(std::move(error)));
  }
  over_ = true;
}

}  // namespace

HttpError refusal_error(const Submitted& submitted) {
  const std::string message = submitted.why.message();
  switch (submitted.error) {
    case SubmitError::kQueueFull:
      return {.status = 429,
              .message = message,
              .code = "queue_full",
              .headers = {{"Retry-After", "2"}}};
    case SubmitError::kStopping:
      return {.status = 503, .message = message.empty() ? kStopping : message, .code = "stopping"};
    case SubmitError::kTooLong:
      return {.message = message, .code = "context_length_exceeded", .param = "messages"};
    default:
      return {.message = message, .code = "invalid_value"};
  }
}

void start_generation(GenerationPlan plan, std::shared_ptr<HttpExchange> exchange) {
  std::make_shared<Generation>(std::move(plan), std::move(exchange))->start();
}

}  // namespace ponder
