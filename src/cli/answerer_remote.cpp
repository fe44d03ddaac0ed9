// A server that speaks OpenAI's API. What it sends is as hostile as any network.
#include <chrono>

#include "cli/answerer.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/terminal.hpp"
#include "io/event_stream.hpp"
#include "io/http_client.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr size_t kMostBody = 16 << 20;   // of an answer that is no stream
constexpr size_t kMostText = 256 << 20;  // of one answer

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string text_at(const Json& json, std::string_view key) {
  const Json* field = find_field(json, key);
  return field != nullptr && field->is_string() ? field->get<std::string>() : "";
}

int64_t count_at(const Json& json, std::string_view key) {
  const auto count = integer_field_or(json, key, "", 0, {.least = 0});
  return count.ok() ? count.value() : 0;
}

// What the server says is wrong.
Failure server_failure(int status, std::string_view body, const std::string& url) {
  std::string what = "the server answers with status " + std::to_string(status);
  const auto parsed = parse_json(body, "answer");
  if (parsed.ok())
    if (const Json* error = find_field(parsed.value(), "error"))
      if (const std::string message = text_at(*error, "message"); !message.empty()) what = message;
  const bool key = status == 401 || status == 403;
  return Failure{{.what = std::move(what),
                  .where = url,
                  .mend = key ? "put its API key into PONDER_API_KEY" : ""}};
}

// An answer that is being received.
class Receiving {
 public:
  Receiving(Answer& answer, const AnswerSinks& sinks) : answer_(answer), sinks_(sinks) {}

  Result<void> event(std::string_view data) {
    if (data.starts_with("[DONE]")) {
      complete_ = true;
      return {};
    }
    const Json chunk = PONDER_TRY(parse_json(data, "event"));
    if (const Json* error = find_field(chunk, "error"))
      return Failure{{.what = "the server failed: " + text_at(*error, "message")}};
    if (const Json* usage = find_field(chunk, "usage")) {
      answer_.stats.prompt_tokens = count_at(*usage, "prompt_tokens");
      answer_.stats.decode_tokens = count_at(*usage, "completion_tokens");
      if (const Json* details = find_field(*usage, "prompt_tokens_details"))
        answer_.stats.reused_tokens = count_at(*details, "cached_tokens");
    }
    const Json* choices = find_field(chunk, "choices");
    if (choices == nullptr || !choices->is_array() || choices->empty()) return {};
    const Json& choice = choices->front();
    if (const Json* delta = find_field(choice, "delta")) {
      std::string thought = text_at(*delta, "reasoning_content");
      if (thought.empty()) thought = text_at(*delta, "reasoning");
      PONDER_TRY(show(Channel::kReasoning, thought));
      PONDER_TRY(show(Channel::kContent, text_at(*delta, "content")));
    }
    const std::string reason = text_at(choice, "finish_reason");
    if (reason.empty()) return {};
    if (reason == "length") answer_.reason = FinishReason::kLength;
    complete_ = true;
    return end_thoughts();
  }

  Result<void> end_thoughts() {
    if (!thinking_) return {};
    thinking_ = false;
    answer_.stats.thinking_seconds += seconds_between(thinking_since_, Clock::now());
    if (!sinks_.on_thought(answer_.stats.thinking_seconds)) return Failure{{.what = "stopped"}};
    return {};
  }

  bool complete() const { return complete_; }

 private:
  Result<void> show(Channel channel, const std::string& text) {
    if (text.empty()) return {};
    const auto now = Clock::now();
    if (!std::exchange(any_, true)) {
      first_ = now;
      answer_.stats.prompt_seconds = seconds_between(started_, now);
    }
    answer_.stats.decode_seconds = seconds_between(first_, now);
    if (channel == Channel::kReasoning && !std::exchange(thinking_, true)) thinking_since_ = now;
    if (channel == Channel::kContent) PONDER_TRY(end_thoughts());
    std::string& all = channel == Channel::kReasoning ? answer_.reasoning : answer_.text;
    all += text;
    if (all.size() > kMostText) return Failure{{.what = "the answer does not end"}};
    if (!sinks_.on_text(channel, text)) return Failure{{.what = "stopped"}};
    return {};
  }

  Answer& answer_;
  const AnswerSinks& sinks_;
  bool any_ = false, thinking_ = false, complete_ = false;
  Clock::time_point started_ = Clock::now(), first_, thinking_since_;
};

Json request_json(const Conversation& conversation, const ChatSettings& settings,
                  uint64_t seed_offset, const std::string& model) {
  Json messages = Json::array();
  for (const ChatMessage& message : conversation.all()) {
    Json json = {{"role", message.role}, {"content", message.content}};
    if (!message.reasoning.empty()) json["reasoning_content"] = message.reasoning;
    messages.push_back(std::move(json));
  }
  Json body = {{"model", model},
               {"messages", std::move(messages)},
               {"stream", true},
               {"stream_options", {{"include_usage", true}}}};
  const SamplingFlags& flags = settings.sampling;
  const auto set = [&](const char* name, const auto& value) {
    if (value) body[name] = *value;
  };
  set("max_tokens", settings.max_tokens);
  set("temperature", flags.temperature);
  set("top_p", flags.top_p);
  set("min_p", flags.min_p);
  set("repetition_penalty", flags.repeat_penalty);
  set("presence_penalty", flags.presence_penalty);
  set("frequency_penalty", flags.frequency_penalty);
  if (flags.top_k) body["top_k"] = static_cast<int64_t>(*flags.top_k);
  if (flags.seed) body["seed"] = *flags.seed + seed_offset;
  if (!settings.think) body["chat_template_kwargs"] = {{"enable_thinking", false}};
  return body;
}

class RemoteAnswerer : public Answerer {
 public:
  RemoteAnswerer(Url base, std::string key) : base_(std::move(base)), key_(std::move(key)) {}

  // Finds the model that is asked for, or the first one, and its context.
  Result<void> choose_model(const std::string& name) {
    std::string body;
    int status = 0;
    const HttpGet request{.url = route("/models"), .token = key_, .first_byte = {}};
    PONDER_TRY(http_get(
        request, {.head = [&](const HttpHead& head) -> Result<void> {
                    status = head.status;
                    return {};
                  },
                  .body = [&](std::span<const std::byte> bytes) { return append(body, bytes); }}));
    if (status != 200) return server_failure(status, body, request.url.text());
    const Json answer = PONDER_TRY(parse_json(body, request.url.text()));
    const Json* list = find_field(answer, "data");
    std::string known;
    for (const Json& entry : list != nullptr && list->is_array() ? *list : Json::array()) {
      const std::string id = text_at(entry, "id");
      known += (known.empty() ? "" : ", ") + printable(id);
      if (id.empty() || !(name.empty() || id == name)) continue;
      model_ = id;
      capacity_ = count_at(entry, "max_model_len");
      if (const Json* meta = find_field(entry, "meta")) capacity_ = count_at(*meta, "n_ctx");
      return {};
    }
    return Failure{{.what = "the server has no model " + printable(name),
                    .where = base_.text(),
                    .mend = known.empty() ? "" : "it has " + known}};
  }

  Result<Answer> answer(const Conversation& conversation, const ChatSettings& settings,
                        uint64_t seed_offset, const AnswerSinks& sinks) override {
    Answer answer;
    Receiving receiving(answer, sinks);
    EventStream events([&](std::string_view data) { return receiving.event(data); });
    int status = 0;
    std::string refusal;
    const Json body = request_json(conversation, settings, seed_offset, model_);
    const HttpPost request{.url = route("/chat/completions"),
                           .token = key_,
                           .body = body.dump(-1, ' ', false, Json::error_handler_t::replace),
                           .stop = &stop_flag()};
    const auto done = http_post(
        request, {.head = [&](const HttpHead& head) -> Result<void> {
                    status = head.status;
                    return {};
                  },
                  .body = [&](std::span<const std::byte> bytes) -> Result<void> {
                    if (status != 200) return append(refusal, bytes);
                    return events.push({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
                  }});
    PONDER_TRY(receiving.end_thoughts());
    if (stop_flag()) {
      answer.reason = FinishReason::kCancelled;
      return answer;
    }
    if (!done.ok()) return Failure{done.error()};
    if (status != 200) return server_failure(status, refusal, request.url.text());
    if (!receiving.complete())
      return Failure{{.what = "the answer was cut off", .where = request.url.text()}};
    used_ = answer.stats.prompt_tokens + answer.stats.decode_tokens;
    return answer;
  }

  std::string greeting() const override {
    return base_.text() + ": " + model_ +
           (capacity_ > 0 ? ", context " + std::to_string(capacity_) : "");
  }
  int64_t used() const override { return used_; }
  int64_t capacity() const override { return capacity_; }

  std::string stats(const Answer& answer, bool style) const override {
    const AnswerStats& stats = answer.stats;
    return dimmed("prompt    " + std::to_string(stats.prompt_tokens) + " tokens (" +
                      std::to_string(stats.reused_tokens) + " from the cache), first word after " +
                      format_duration(stats.prompt_seconds) + "\nanswer    " +
                      std::to_string(stats.decode_tokens) + " tokens, " +
                      format_rate(decode_rate(stats)) + " tokens/s as seen from here",
                  style) +
           "\n";
  }

  std::string sampling(const ChatSettings& settings) const override {
    const Json body = request_json({}, settings, 0, model_);
    std::string text;
    for (const auto& [name, value] : body.items())
      if (value.is_number()) text += name + " " + value.dump() + ", ";
    return text + "the rest as the server likes";
  }

 private:
  static Result<void> append(std::string& body, std::span<const std::byte> bytes) {
    if (body.size() + bytes.size() > kMostBody) return Failure{{.what = "the answer is too long"}};
    body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }

  Url route(const std::string& path) const {
    Url url = base_;
    url.target += path;
    return url;
  }

  Url base_;  // target "/v1"
  std::string key_, model_;
  int64_t capacity_ = 0, used_ = 0;
};

}  // namespace

Result<std::unique_ptr<Answerer>> make_remote_answerer(const RemoteOptions& options) {
  const bool has_scheme = options.url.find("://") != std::string::npos;
  Url url = PONDER_TRY(Url::parse(has_scheme ? options.url : "http://" + options.url));
  while (url.target.ends_with('/')) url.target.pop_back();
  if (!url.target.ends_with("/v1")) url.target += "/v1";
  auto answerer = std::make_unique<RemoteAnswerer>(std::move(url), options.key);
  PONDER_TRY(answerer->choose_model(options.model));
  return std::unique_ptr<Answerer>(std::move(answerer));
}

}  // namespace ponder
