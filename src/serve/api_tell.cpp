// Routes that tell about the server and its models, and those that only take a tokenizer.
#include "io/printable.hpp"
#include "serve/api.hpp"
#include "serve/checked_json.hpp"

namespace ponder {
namespace {

// What stands behind the last '/' of a route that ends in "/{id}".
std::string id_in(const std::string& path, std::string_view folder) {
  return path.substr(path.find(folder) + folder.size());
}

void send_json(const std::shared_ptr<HttpExchange>& exchange, const OrderedJson& json,
               int status = 200) {
  exchange->respond({.status = status, .body = json_line(json)});
}

std::optional<OrderedJson> parsed_body(const std::shared_ptr<HttpExchange>& exchange,
                                       std::string_view schema) {
  auto body = parse_body(exchange->request().body, schema);
  if (body.ok()) return std::move(body).take_value();
  refuse(exchange, request_error(body.error()));
  return std::nullopt;
}

// A token's text, or its bytes if they are only a part of a character.
OrderedJson piece_json(const std::string& bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const size_t length = utf8_length(std::string_view(bytes).substr(i));
    if (length == 0) {
      OrderedJson list = OrderedJson::array();
      for (const char byte : bytes) list.push_back(static_cast<uint8_t>(byte));
      return list;
    }
    i += length;
  }
  return bytes;
}

HttpError no_response() {
  return {.status = 404, .message = "there is no such response", .code = "not_found"};
}

}  // namespace

void Api::health(const Exchange& exchange) { send_json(exchange, {{"status", "ok"}}); }

void Api::ready(const Exchange& exchange) {
  const bool ready = host_->ready();
  OrderedJson models = OrderedJson::array();
  bool failed = false;
  for (const ModelHost::Status& status : host_->statuses()) {
    OrderedJson model = {{"id", status.name}, {"state", state_name(status.state)}};
    if (status.state == ModelHost::State::kLoading) model["progress"] = status.progress;
    failed = failed || (models.empty() && status.state == ModelHost::State::kFailed);
    models.push_back(std::move(model));
  }
  const char* word = ready ? "ready" : failed ? "failed" : "loading";
  send_json(exchange, {{"status", word}, {"models", std::move(models)}}, ready ? 200 : 503);
}

void Api::metrics(const Exchange& exchange) {
  exchange->respond({.content_type = Metrics::kContentType, .body = options_.metrics->text()});
}

void Api::openapi(const Exchange& exchange) {
  static const std::string document = json_line(openapi_document(options_.version));
  exchange->respond({.body = document});
}

OrderedJson Api::model_json(const ModelHost::Status& status) const {
  OrderedJson model = {{"id", status.name},
                       {"object", "model"},
                       {"created", started_},
                       {"owned_by", "ponder"},
                       {"state", state_name(status.state)},
                       {"memory_bytes", status.bytes}};
  if (status.state == ModelHost::State::kLoading) model["progress"] = status.progress;
  if (status.state == ModelHost::State::kFailed) model["problem"] = status.problem;
  if (status.details.is_object()) {
    model["max_model_len"] = status.details.at("n_ctx");
    model["meta"] = status.details;
  }
  return model;
}

void Api::list_models(const Exchange& exchange) {
  OrderedJson list = OrderedJson::array();
  for (const ModelHost::Status& status : host_->statuses()) list.push_back(model_json(status));
  send_json(exchange, {{"object", "list"}, {"data", std::move(list)}});
}

void Api::show_model(const Exchange& exchange) {
  const std::string id = id_in(exchange->request().path, "/models/");
  for (const ModelHost::Status& status : host_->statuses())
    if (status.name == id) return send_json(exchange, model_json(status));
  refuse(exchange, {.status = 404,
                    .message = "there is no model " + printable(id) + "; /v1/models lists them",
                    .code = "model_not_found",
                    .param = "model"});
}

void Api::show_response(const Exchange& exchange) {
  const HttpRequest& request = exchange->request();
  const auto stored = responses_.get(id_in(request.path, "/responses/"), request.client);
  if (!stored) return refuse(exchange, no_response());
  send_json(exchange, stored->body);
}

void Api::delete_response(const Exchange& exchange) {
  const HttpRequest& request = exchange->request();
  const std::string id = id_in(request.path, "/responses/");
  if (!responses_.remove(id, request.client)) return refuse(exchange, no_response());
  send_json(exchange, {{"id", id}, {"object", "response"}, {"deleted", true}});
}

void Api::tokenize(const Exchange& exchange) {
  auto body = parsed_body(exchange, "TokenizeRequest");
  if (!body) return;
  const OrderedJson* content = field_of(*body, "content");
  if (content == nullptr) content = field_of(*body, "prompt");
  if (content == nullptr)
    return refuse(exchange, request_error({.what = "is missing", .where = "content"}));
  const std::string text = content->get<std::string>();
  with_model(text_in(*body, "model"), exchange,
             [exchange, body = *body, text](std::shared_ptr<const ServedModel> model) {
               const auto tokens = model->tokenizer.encode(
                   text, {.add_bos = bool_in(body, "add_special"),
                          .parse_special = bool_in(body, "parse_special", true)});
               OrderedJson list = tokens;
               if (bool_in(body, "with_pieces")) {
                 list = OrderedJson::array();
                 for (const int32_t token : tokens)
                   list.push_back(
                       {{"id", token}, {"piece", piece_json(model->tokenizer.token_bytes(token))}});
               }
               send_json(exchange, {{"tokens", std::move(list)},
                                    {"count", tokens.size()},
                                    {"max_model_len", model->context}});
             });
}

void Api::detokenize(const Exchange& exchange) {
  auto body = parsed_body(exchange, "DetokenizeRequest");
  if (!body) return;
  with_model(text_in(*body, "model"), exchange,
             [exchange, body = *body](std::shared_ptr<const ServedModel> model) {
               const auto tokens =
                   tokens_of_text(tokens_of(body.at("tokens")), model->tokenizer, "tokens");
               if (!tokens.ok()) return refuse(exchange, request_error(tokens.error()));
               const std::string text = model->tokenizer.decode(tokens.value());
               send_json(exchange, {{"content", text}, {"prompt", text}});
             });
}

void Api::apply_template(const Exchange& exchange) {
  const auto body = parsed_body(exchange, "ApplyTemplateRequest");
  if (!body) return;
  auto request = parse_chat_request(*body);
  if (!request.ok()) return refuse(exchange, request_error(request.error()));
  with_model(text_in(*body, "model"), exchange,
             [exchange,
              request = std::move(request).take_value()](std::shared_ptr<const ServedModel> model) {
               const auto text = render_chat(request, *model);
               if (!text.ok()) return refuse(exchange, request_error(text.error()));
               send_json(exchange, {{"prompt", text.value()}});
             });
}

}  // namespace ponder
