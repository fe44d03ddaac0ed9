// Routes that a model writes for.
#include "serve/api.hpp"
#include "serve/checked_json.hpp"
#include "serve/embeddings.hpp"

namespace ponder {
namespace {

// Parses the body in two steps, or answers what is wrong with it.
template <typename Request>
std::optional<Request> parsed(const std::shared_ptr<HttpExchange>& exchange,
                              std::string_view schema,
                              Result<Request> (*parse)(const OrderedJson&)) {
  auto body = parse_body(exchange->request().body, schema);
  if (!body.ok()) {
    refuse(exchange, request_error(body.error()));
    return std::nullopt;
  }
  auto request = parse(body.value());
  if (!request.ok()) {
    refuse(exchange, request_error(request.error()));
    return std::nullopt;
  }
  return std::move(request).take_value();
}

// What the model answered, for the next request to go on from.
ChatMessage answer_message(const Outcome& outcome) {
  const Choice& choice = outcome.choices.front();
  ChatMessage message{.role = "assistant", .content = choice.text(Channel::kContent)};
  message.reasoning = choice.text(Channel::kReasoning);
  for (const AnswerSegment& segment : choice.segments)
    if (segment.channel == Channel::kToolCall)
      message.tool_calls.push_back(
          {.id = segment.call_id, .name = segment.name, .arguments = segment.text});
  return message;
}

}  // namespace

void Api::chat(const Exchange& exchange) {
  auto request = parsed(exchange, "ChatCompletionRequest", parse_chat_request);
  if (!request) return;
  const std::string name = request->generation.model;
  with_model(
      name, exchange,
      [this, exchange, request = std::move(*request)](std::shared_ptr<const ServedModel> model) {
        const ChatFormatOptions format{.usage = request.generation.stream_usage,
                                       .log_probabilities = request.generation.likely >= 0};
        auto plan = prepare_chat(request, scene(exchange, std::move(model), "chatcmpl-"));
        if (!plan.ok()) return refuse(exchange, request_error(plan.error()));
        plan.value().format = make_chat_format(format);
        start(std::move(plan).take_value(), exchange);
      });
}

void Api::complete(const Exchange& exchange) {
  auto request = parsed(exchange, "CompletionRequest", parse_completion_request);
  if (!request) return;
  const std::string name = request->generation.model;
  with_model(
      name, exchange,
      [this, exchange, request = std::move(*request)](std::shared_ptr<const ServedModel> model) {
        const CompletionFormatOptions format{.usage = request.generation.stream_usage,
                                             .echo = request.echo,
                                             .likely = request.generation.likely};
        auto plan = prepare_completion(request, scene(exchange, std::move(model), "cmpl-"));
        if (!plan.ok()) return refuse(exchange, request_error(plan.error()));
        plan.value().format = make_completion_format(format);
        start(std::move(plan).take_value(), exchange);
      });
}

void Api::embed(const Exchange& exchange) {
  auto call = parsed(exchange, "EmbeddingRequest", parse_embedding_request);
  if (!call) return;
  const std::string name = call->model;
  with_model(name, exchange,
             [exchange, call = std::move(*call)](std::shared_ptr<const ServedModel> model) {
               start_embeddings(call, std::move(model), exchange);
             });
}

void Api::message(const Exchange& exchange) {
  auto request = parsed(exchange, "MessageRequest", parse_message_request);
  if (!request) return;
  const std::string name = request->generation.model;
  with_model(
      name, exchange,
      [this, exchange, request = std::move(*request)](std::shared_ptr<const ServedModel> model) {
        auto plan = prepare_chat(request, scene(exchange, std::move(model), "msg_"));
        if (!plan.ok()) return refuse(exchange, request_error(plan.error()));
        plan.value().format = make_message_format();
        start(std::move(plan).take_value(), exchange);
      });
}

void Api::count_tokens(const Exchange& exchange) {
  auto request = parsed(exchange, "CountTokensRequest", parse_message_request);
  if (!request) return;
  const std::string name = request->generation.model;
  with_model(name, exchange,
             [exchange, request = std::move(*request)](std::shared_ptr<const ServedModel> model) {
               const auto tokens = chat_tokens(request, *model);
               if (!tokens.ok()) return refuse(exchange, request_error(tokens.error()));
               exchange->respond({.body = json_line({{"input_tokens", tokens.value().size()}})});
             });
}

void Api::respond(const Exchange& exchange) {
  auto body = parse_body(exchange->request().body, "ResponseRequest");
  if (!body.ok()) return refuse(exchange, request_error(body.error()));
  const std::string client = exchange->request().client;
  std::vector<ChatMessage> earlier;
  if (const std::string previous = text_in(body.value(), "previous_response_id");
      !previous.empty()) {
    auto stored = responses_.get(previous, client);
    if (!stored)
      return refuse(exchange, {.status = 404,
                               .message = "previous_response_id: there is no such response (any "
                                          "more): the last ones are kept in memory",
                               .code = "previous_response_not_found",
                               .param = "previous_response_id"});
    earlier = std::move(stored->messages);
  }
  auto request = parse_response_request(body.value(), std::move(earlier));
  if (!request.ok()) return refuse(exchange, request_error(request.error()));
  const std::string name = request.value().chat.generation.model;
  with_model(
      name, exchange,
      [this, exchange, client,
       request = std::move(request).take_value()](std::shared_ptr<const ServedModel> model) {
        auto plan = prepare_chat(request.chat, scene(exchange, std::move(model), "resp_"));
        if (!plan.ok()) return refuse(exchange, request_error(plan.error()));
        OrderedJson echo = request.echo;
        echo["store"] = request.store;
        plan.value().format = make_response_format(echo, request.chat.generation.likely >= 0);
        if (request.store) {
          // Instructions belong to one request only.
          const bool instructed = echo["instructions"].is_string();
          std::vector<ChatMessage> messages(request.chat.messages.begin() + (instructed ? 1 : 0),
                                            request.chat.messages.end());
          plan.value().on_complete = [this, client, echo, messages](const Outcome& outcome) {
            store_response(client, echo, messages, outcome);
          };
        }
        start(std::move(plan).take_value(), exchange);
      });
}

void Api::store_response(const std::string& client, const OrderedJson& echo,
                         std::vector<ChatMessage> messages, const Outcome& outcome) {
  messages.push_back(answer_message(outcome));
  responses_.put(outcome.id, {.client = client,
                              .messages = std::move(messages),
                              .body = make_response_format(echo, false)->whole(outcome)});
}

}  // namespace ponder
