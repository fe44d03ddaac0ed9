#include "eval/wire.hpp"

#include <algorithm>
#include <array>

namespace ponder {
namespace {

constexpr size_t kMostText = 64 << 20;
constexpr int64_t kMostTokens = 1'000'000'000;

constexpr std::array<std::string_view, 3> kApis = {"openai", "responses", "anthropic"};

std::string text_at(const Json& json, std::string_view key) {
  const Json* field = find_field(json, key);
  return field != nullptr && field->is_string() ? field->get<std::string>() : "";
}

// A count of tokens; what is none counts as absent.
std::optional<int64_t> count_at(const Json& json, std::string_view key) {
  if (find_field(json, key) == nullptr) return std::nullopt;
  const auto count = integer_field(json, key, "usage", {.least = 0, .most = kMostTokens});
  if (!count.ok()) return std::nullopt;
  return count.value();
}

int64_t count_within(const Json& usage, std::string_view object, std::string_view key) {
  const Json* details = find_field(usage, object);
  return details == nullptr ? 0 : count_at(*details, key).value_or(0);
}

// OpenAI's two forms differ in names only; DeepSeek tells hits of its cache beside them.
void read_openai_usage(const Json& usage, std::string_view input, std::string_view output,
                       TokenUsage& out) {
  const auto in = count_at(usage, input), made = count_at(usage, output);
  if (!in || !made) return;
  out.told = true;
  out.input = *in;
  out.output = *made;
  out.cached = count_within(usage, std::string(input) + "_details", "cached_tokens");
  if (out.cached == 0) out.cached = count_at(usage, "prompt_cache_hit_tokens").value_or(0);
  out.reasoning = count_within(usage, std::string(output) + "_details", "reasoning_tokens");
}

class ChatAnswer : public WireAnswer {
  Result<void> read(const Json& event) override {
    if (reply_.served.empty()) reply_.served = text_at(event, "model");
    if (const Json* usage = find_field(event, "usage"))
      read_openai_usage(*usage, "prompt_tokens", "completion_tokens", reply_.usage);
    const Json* choices = find_field(event, "choices");
    if (choices == nullptr || !choices->is_array() || choices->empty()) return {};
    const Json& choice = choices->front();
    if (const Json* delta = find_field(choice, "delta")) {
      const bool other_name = find_field(*delta, "reasoning_content") == nullptr;
      PONDER_TRY(add(reply_.reasoning, *delta, other_name ? "reasoning" : "reasoning_content"));
      PONDER_TRY(add(reply_.text, *delta, "content"));
      PONDER_TRY(add(reply_.text, *delta, "refusal"));
    }
    const std::string reason = text_at(choice, "finish_reason");
    if (reason.empty()) return {};
    complete_ = true;
    if (reason == "length") reply_.end = AnswerEnd::kLength;
    if (reason == "content_filter") reply_.end = AnswerEnd::kFiltered;
    return {};
  }
};

class ResponsesAnswer : public WireAnswer {
  Result<void> read(const Json& event) override {
    const std::string type = text_at(event, "type");
    if (type == "response.output_text.delta" || type == "response.refusal.delta")
      return add(reply_.text, event, "delta");
    if (type == "response.reasoning_text.delta" || type == "response.reasoning_summary_text.delta")
      return add(reply_.reasoning, event, "delta");
    const Json* response = find_field(event, "response");
    if (response == nullptr) return {};
    if (type == "response.failed") {
      const Json* error = find_field(*response, "error");
      return Failure{{.what = "the server failed: " +
                              (error == nullptr ? std::string() : text_at(*error, "message"))}};
    }
    if (type != "response.completed" && type != "response.incomplete") return {};
    complete_ = true;
    reply_.served = text_at(*response, "model");
    if (const Json* usage = find_field(*response, "usage"))
      read_openai_usage(*usage, "input_tokens", "output_tokens", reply_.usage);
    if (type == "response.incomplete") {
      const Json* details = find_field(*response, "incomplete_details");
      const bool filtered = details != nullptr && text_at(*details, "reason") == "content_filter";
      reply_.end = filtered ? AnswerEnd::kFiltered : AnswerEnd::kLength;
    }
    return {};
  }
};

class MessagesAnswer : public WireAnswer {
  Result<void> read(const Json& event) override {
    const std::string type = text_at(event, "type");
    if (type == "message_start") {
      if (const Json* message = find_field(event, "message")) {
        reply_.served = text_at(*message, "model");
        if (const Json* usage = find_field(*message, "usage")) read_usage(*usage);
      }
    } else if (type == "content_block_delta") {
      if (const Json* delta = find_field(event, "delta")) {
        const std::string kind = text_at(*delta, "type");
        if (kind == "text_delta") return add(reply_.text, *delta, "text");
        if (kind == "thinking_delta") return add(reply_.reasoning, *delta, "thinking");
      }
    } else if (type == "message_delta") {
      if (const Json* usage = find_field(event, "usage")) read_usage(*usage);
      const Json* delta = find_field(event, "delta");
      const std::string reason = delta == nullptr ? "" : text_at(*delta, "stop_reason");
      if (reason == "max_tokens" || reason == "model_context_window_exceeded")
        reply_.end = AnswerEnd::kLength;
      if (reason == "refusal") reply_.end = AnswerEnd::kFiltered;
    } else if (type == "message_stop") {
      complete_ = true;
    }
    return {};
  }

  // Each event may tell a part. What the cache holds is told apart from input_tokens.
  void read_usage(const Json& usage) {
    fresh_ = count_at(usage, "input_tokens").value_or(fresh_);
    TokenUsage& out = reply_.usage;
    out.cached = count_at(usage, "cache_read_input_tokens").value_or(out.cached);
    out.cache_write = count_at(usage, "cache_creation_input_tokens").value_or(out.cache_write);
    out.input = fresh_ + out.cached + out.cache_write;
    if (const auto made = count_at(usage, "output_tokens")) {
      out.output = *made;
      out.told = out.input > 0;
    }
  }

  int64_t fresh_ = 0;
};

Json one_message(const Question& question) {
  return Json::array({Json::object({{"role", "user"}, {"content", question.prompt}})});
}

Json chat_body(const Question& question, const AskOptions& options) {
  return {{"messages", one_message(question)},  {"max_tokens", options.max_tokens},
          {"temperature", options.temperature}, {"top_p", options.top_p},
          {"seed", question.seed & 0x7FFFFFFF}, {"stream_options", {{"include_usage", true}}}};
}

Json responses_body(const Question& question, const AskOptions& options) {
  return {{"input", one_message(question)},
          {"max_output_tokens", options.max_tokens},
          {"temperature", options.temperature},
          {"top_p", options.top_p},
          {"store", false}};
}

Json messages_body(const Question& question, const AskOptions& options) {
  Json body = {{"messages", one_message(question)},
               {"max_tokens", options.max_tokens},
               {"temperature", options.temperature}};
  if (options.top_p < 1.0) body["top_p"] = options.top_p;
  return body;
}

}  // namespace

std::string_view api_name(EndpointApi api) { return kApis[static_cast<size_t>(api)]; }

std::optional<EndpointApi> find_api(std::string_view name) {
  const auto found = std::find(kApis.begin(), kApis.end(), name);
  if (found == kApis.end()) return std::nullopt;
  return static_cast<EndpointApi>(found - kApis.begin());
}

WireRequest wire_request(EndpointApi api, const std::string& model, const Question& question,
                         const AskOptions& options, const Json& changes) {
  WireRequest request;
  switch (api) {
    case EndpointApi::kChat:
      request.path = "/chat/completions";
      request.body = chat_body(question, options);
      break;
    case EndpointApi::kResponses:
      request.path = "/responses";
      request.body = responses_body(question, options);
      break;
    case EndpointApi::kMessages:
      request.path = "/messages";
      request.token_header = "x-api-key";
      request.headers["anthropic-version"] = "2023-06-01";
      request.body = messages_body(question, options);
      break;
  }
  request.headers["accept"] = "text/event-stream";
  request.headers["idempotency-key"] = question.id;
  request.body["model"] = model;
  request.body["stream"] = true;
  if (changes.is_object()) request.body.merge_patch(changes);
  return request;
}

Result<void> WireAnswer::event(std::string_view data) {
  if (data.starts_with("[DONE]")) {
    complete_ = true;
    return {};
  }
  const Json event = PONDER_TRY(parse_json(data, "event"));
  if (!event.is_object()) return Failure{{.what = "an event is no object"}};
  if (const Json* error = find_field(event, "error")) {
    const std::string message =
        error->is_string() ? error->get<std::string>() : text_at(*error, "message");
    return Failure{{.what = "the server failed: " + message}};
  }
  return read(event);
}

Result<void> WireAnswer::add(std::string& to, const Json& object, std::string_view key) {
  to += text_at(object, key);
  if (to.size() > kMostText) return Failure{{.what = "the answer does not end"}};
  return {};
}

std::unique_ptr<WireAnswer> wire_answer(EndpointApi api) {
  if (api == EndpointApi::kChat) return std::make_unique<ChatAnswer>();
  if (api == EndpointApi::kResponses) return std::make_unique<ResponsesAnswer>();
  return std::make_unique<MessagesAnswer>();
}

WireError wire_error(int status, std::string_view body) {
  WireError out{.message = "the server answers with status " + std::to_string(status), .param = {}};
  const auto parsed = parse_json(body, "answer");
  if (!parsed.ok()) return out;
  const Json* error = find_field(parsed.value(), "error");
  if (error == nullptr) return out;
  const std::string message =
      error->is_string() ? error->get<std::string>() : text_at(*error, "message");
  if (!message.empty()) out.message += ": " + message.substr(0, 500);
  out.param = text_at(*error, "param");
  return out;
}

}  // namespace ponder
