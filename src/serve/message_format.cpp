// Anthropic's messages. https://docs.anthropic.com/en/api/messages-streaming has the events.
#include "serve/answer_format.hpp"

namespace ponder {
namespace {

std::string_view error_name(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

OrderedJson error_json(const HttpError& error) {
  const std::string where = error.param.empty() ? "" : error.param + ": ";
  return {{"type", "error"},
          {"error", {{"type", error_name(error.status)}, {"message", where + error.message}}}};
}

// The arguments as an object, which the API wants; a model may have written none.
OrderedJson input_of(const std::string& arguments) {
  auto parsed = parse_ordered_json(arguments.empty() ? "{}" : arguments, "arguments");
  if (parsed.ok() && parsed.value().is_object()) return std::move(parsed).value();
  return {{"unparsed", arguments}};
}

class MessageFormat : public AnswerFormat {
 public:
  OrderedJson whole(const Outcome& outcome) override {
    const Choice& choice = outcome.choices.front();
    OrderedJson message = head(outcome);
    for (const AnswerSegment& segment : choice.segments)
      message["content"].push_back(block(segment));
    message["stop_reason"] = stop_reason(choice);
    message["stop_sequence"] = stop_sequence(choice);
    message["usage"] = usage(outcome);
    return message;
  }

  std::string begin(const Outcome& outcome) override {
    OrderedJson message = head(outcome);
    message["usage"] = {{"input_tokens", outcome.prompt_count}, {"output_tokens", 0}};
    return event("message_start", {{"message", std::move(message)}}) + event("ping", {});
  }

  std::string piece(const Outcome& outcome, int choice, const Piece& piece) override {
    const AnswerSegment& segment = outcome.choices[static_cast<size_t>(choice)].segments.back();
    std::string text;
    if (piece.opens) {
      text = close_block();
      open_ = true;
      AnswerSegment start = segment;
      start.text.clear();
      text += event("content_block_start", {{"index", index_}, {"content_block", block(start)}});
    }
    if (piece.text.empty()) return text;
    OrderedJson delta;
    if (piece.channel == Channel::kReasoning) {
      delta = {{"type", "thinking_delta"}, {"thinking", piece.text}};
    } else if (piece.channel == Channel::kContent) {
      delta = {{"type", "text_delta"}, {"text", piece.text}};
    } else {
      delta = {{"type", "input_json_delta"}, {"partial_json", piece.text}};
    }
    return text + event("content_block_delta", {{"index", index_}, {"delta", std::move(delta)}});
  }

  std::string finished(const Outcome&, int) override { return close_block(); }

  std::string end(const Outcome& outcome) override {
    const Choice& choice = outcome.choices.front();
    return event(
               "message_delta",
               {{"delta",
                 {{"stop_reason", stop_reason(choice)}, {"stop_sequence", stop_sequence(choice)}}},
                {"usage", usage(outcome)}}) +
           event("message_stop", {});
  }

  std::string failure(const HttpError& error) override {
    return server_event(error_json(error), "error");
  }

  HttpResponse refusal(HttpError error) override { return message_refusal(std::move(error)); }

 private:
  static std::string event(const char* name, OrderedJson fields) {
    OrderedJson data = {{"type", name}};
    if (fields.is_object()) data.update(fields);
    return server_event(data, name);
  }

  static OrderedJson head(const Outcome& outcome) {
    return {{"id", outcome.id},
            {"type", "message"},
            {"role", "assistant"},
            {"model", outcome.model->name},
            {"content", OrderedJson::array()},
            {"stop_reason", nullptr},
            {"stop_sequence", nullptr}};
  }

  static OrderedJson block(const AnswerSegment& segment) {
    if (segment.channel == Channel::kReasoning)
      return {{"type", "thinking"}, {"thinking", segment.text}, {"signature", ""}};
    if (segment.channel == Channel::kContent) return {{"type", "text"}, {"text", segment.text}};
    return {{"type", "tool_use"},
            {"id", segment.call_id},
            {"name", segment.name},
            {"input", input_of(segment.text)}};
  }

  static OrderedJson stop_reason(const Choice& choice) {
    if (choice.finish_reason() == "length") return "max_tokens";
    if (choice.finish_reason() == "tool_calls") return "tool_use";
    return choice.stop.empty() ? "end_turn" : "stop_sequence";
  }

  static OrderedJson stop_sequence(const Choice& choice) {
    return choice.stop.empty() ? OrderedJson(nullptr) : OrderedJson(choice.stop);
  }

  // Here the input does not count what was cached.
  static OrderedJson usage(const Outcome& outcome) {
    const Usage usage = outcome.usage();
    return {{"input_tokens", usage.prompt - usage.cached},
            {"cache_creation_input_tokens", 0},
            {"cache_read_input_tokens", usage.cached},
            {"output_tokens", usage.completion}};
  }

  std::string close_block() {
    if (!open_) return "";
    open_ = false;
    return event("content_block_stop", {{"index", index_++}});
  }

  int index_ = 0;
  bool open_ = false;
};

}  // namespace

std::unique_ptr<AnswerFormat> make_message_format() { return std::make_unique<MessageFormat>(); }

HttpResponse message_refusal(HttpError error) {
  const std::string body = json_line(error_json(error));
  HttpResponse response{.status = error.status, .body = body};
  response.headers = std::move(error.headers);
  return response;
}

}  // namespace ponder
