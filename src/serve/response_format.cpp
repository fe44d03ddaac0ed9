// OpenAI's responses. https://platform.openai.com/docs/api-reference/responses-streaming has the
// events.
#include "serve/answer_format.hpp"

namespace ponder {
namespace {

class ResponseFormat : public AnswerFormat {
 public:
  ResponseFormat(OrderedJson echo, bool log_probabilities)
      : echo_(std::move(echo)), log_probabilities_(log_probabilities) {}

  OrderedJson whole(const Outcome& outcome) override {
    const Choice& choice = outcome.choices.front();
    const bool cut = choice.finish_reason() == "length";
    OrderedJson response = head(outcome, cut ? "incomplete" : "completed");
    if (cut) response["incomplete_details"] = {{"reason", "max_output_tokens"}};
    for (size_t i = 0; i < choice.segments.size(); ++i) {
      const bool last = i + 1 == choice.segments.size();
      response["output"].push_back(item(outcome, i, last && cut ? "incomplete" : "completed"));
    }
    const Usage usage = outcome.usage();
    response["usage"] = {{"input_tokens", usage.prompt},
                         {"input_tokens_details", {{"cached_tokens", usage.cached}}},
                         {"output_tokens", usage.completion},
                         {"output_tokens_details", {{"reasoning_tokens", usage.reasoning}}},
                         {"total_tokens", usage.prompt + usage.completion}};
    return response;
  }

  std::string begin(const Outcome& outcome) override {
    const OrderedJson response = head(outcome, "in_progress");
    const std::string created = event("response.created", {{"response", response}});
    return created + event("response.in_progress", {{"response", response}});
  }

  std::string piece(const Outcome& outcome, int choice, const Piece& piece) override {
    const std::vector<AnswerSegment>& segments =
        outcome.choices[static_cast<size_t>(choice)].segments;
    std::string text;
    if (piece.opens) {
      if (segments.size() > 1) text = close(outcome, segments.size() - 2, "completed");
      text += open(outcome, segments.size() - 1);
    }
    if (piece.text.empty()) return text;
    const size_t number = segments.size() - 1;
    const AnswerSegment& segment = segments[number];
    OrderedJson data = place(outcome, number);
    data["delta"] = piece.text;
    if (segment.channel == Channel::kToolCall)
      return text + event("response.function_call_arguments.delta", std::move(data));
    data["content_index"] = 0;
    if (segment.channel == Channel::kReasoning)
      return text + event("response.reasoning_text.delta", std::move(data));
    data["logprobs"] = tokens(outcome, segment, piece.first_token);
    return text + event("response.output_text.delta", std::move(data));
  }

  std::string finished(const Outcome& outcome, int choice) override {
    const Choice& finished = outcome.choices[static_cast<size_t>(choice)];
    if (finished.segments.empty()) return "";
    return close(outcome, finished.segments.size() - 1,
                 finished.finish_reason() == "length" ? "incomplete" : "completed");
  }

  std::string end(const Outcome& outcome) override {
    OrderedJson response = whole(outcome);
    const std::string name = "response." + response["status"].get<std::string>();
    return event(name, {{"response", std::move(response)}});
  }

  std::string failure(const HttpError& error) override {
    const OrderedJson parsed = OrderedJson::parse(error_response(error).body).at("error");
    return event("error", {{"code", parsed.at("code")},
                           {"message", parsed.at("message")},
                           {"param", parsed.at("param")}});
  }

 private:
  std::string event(const std::string& name, OrderedJson fields) {
    OrderedJson data = {{"type", name}, {"sequence_number", sequence_++}};
    data.update(fields);
    return server_event(data, name);
  }

  OrderedJson head(const Outcome& outcome, const char* status) const {
    OrderedJson response = {{"id", outcome.id},
                            {"object", "response"},
                            {"created_at", outcome.created},
                            {"status", status},
                            {"error", nullptr},
                            {"incomplete_details", nullptr},
                            {"model", outcome.model->name},
                            {"output", OrderedJson::array()},
                            {"usage", nullptr},
                            {"seed", outcome.seed}};
    response.update(echo_);
    return response;
  }

  static const AnswerSegment& segment_of(const Outcome& outcome, size_t number) {
    return outcome.choices.front().segments[number];
  }

  // Ids of items follow from the response's, so that they are the same in all events.
  static std::string item_id(const Outcome& outcome, size_t number) {
    const Channel channel = segment_of(outcome, number).channel;
    const char* prefix = channel == Channel::kReasoning  ? "rs_"
                         : channel == Channel::kToolCall ? "fc_"
                                                         : "msg_";
    return prefix + outcome.id.substr(outcome.id.find('_') + 1) + "_" + std::to_string(number);
  }

  static OrderedJson place(const Outcome& outcome, size_t number) {
    return {{"item_id", item_id(outcome, number)}, {"output_index", number}};
  }

  OrderedJson tokens(const Outcome& outcome, const AnswerSegment& segment, size_t first) const {
    OrderedJson list = OrderedJson::array();
    for (size_t i = first; log_probabilities_ && i < segment.tokens.size(); ++i)
      list.push_back(token_json(outcome.model->tokenizer, segment.tokens[i]));
    return list;
  }

  OrderedJson part(const Outcome& outcome, const AnswerSegment& segment) const {
    if (segment.channel == Channel::kReasoning)
      return {{"type", "reasoning_text"}, {"text", segment.text}};
    return {{"type", "output_text"},
            {"text", segment.text},
            {"annotations", OrderedJson::array()},
            {"logprobs", tokens(outcome, segment, 0)}};
  }

  OrderedJson item(const Outcome& outcome, size_t number, const char* status) const {
    const AnswerSegment& segment = segment_of(outcome, number);
    const bool begun = std::string_view(status) == "in_progress";
    OrderedJson content = OrderedJson::array();
    if (!begun) content.push_back(part(outcome, segment));
    OrderedJson item = {{"id", item_id(outcome, number)}};
    if (segment.channel == Channel::kToolCall) {
      item["type"] = "function_call";
      item["call_id"] = segment.call_id;
      item["name"] = segment.name;
      item["arguments"] = begun ? "" : segment.text;
    } else if (segment.channel == Channel::kReasoning) {
      item["type"] = "reasoning";
      item["summary"] = OrderedJson::array();
      item["content"] = std::move(content);
    } else {
      item["type"] = "message";
      item["role"] = "assistant";
      item["content"] = std::move(content);
    }
    item["status"] = status;
    return item;
  }

  std::string open(const Outcome& outcome, size_t number) {
    std::string text =
        event("response.output_item.added",
              {{"output_index", number}, {"item", item(outcome, number, "in_progress")}});
    AnswerSegment empty = segment_of(outcome, number);
    if (empty.channel == Channel::kToolCall) return text;
    empty.text.clear();
    empty.tokens.clear();
    OrderedJson data = place(outcome, number);
    data["content_index"] = 0;
    data["part"] = part(outcome, empty);
    return text + event("response.content_part.added", std::move(data));
  }

  std::string close(const Outcome& outcome, size_t number, const char* status) {
    const AnswerSegment& segment = segment_of(outcome, number);
    OrderedJson data = place(outcome, number);
    std::string text;
    if (segment.channel == Channel::kToolCall) {
      data["name"] = segment.name;
      data["arguments"] = segment.text;
      text = event("response.function_call_arguments.done", std::move(data));
    } else {
      data["content_index"] = 0;
      OrderedJson done = data;
      done["text"] = segment.text;
      const bool thoughts = segment.channel == Channel::kReasoning;
      if (!thoughts) done["logprobs"] = tokens(outcome, segment, 0);
      text = event(thoughts ? "response.reasoning_text.done" : "response.output_text.done",
                   std::move(done));
      data["part"] = part(outcome, segment);
      text += event("response.content_part.done", std::move(data));
    }
    return text + event("response.output_item.done",
                        {{"output_index", number}, {"item", item(outcome, number, status)}});
  }

  OrderedJson echo_;
  bool log_probabilities_;
  int64_t sequence_ = 0;
};

}  // namespace

std::unique_ptr<AnswerFormat> make_response_format(OrderedJson echo, bool log_probabilities) {
  return std::make_unique<ResponseFormat>(std::move(echo), log_probabilities);
}

}  // namespace ponder
