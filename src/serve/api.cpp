#include "serve/api.hpp"

#include <chrono>
#include <random>

#include "base/log.hpp"
#include "io/printable.hpp"
#include "serve/web/web_assets.hpp"

namespace ponder {
namespace {

constexpr std::string_view kAnyId = "/{id}";
constexpr std::string_view kVersionPrefix = "/v1";

int64_t seconds_since_1970() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool matches(std::string_view route, std::string_view path) {
  if (!route.ends_with(kAnyId)) return route == path;
  route.remove_suffix(kAnyId.size() - 1);
  return path.size() > route.size() && path.starts_with(route);
}

// Clients may leave out the version, or write a slash at the end.
bool reaches(std::string_view route, std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (matches(route, path)) return true;
  if (!route.starts_with(kVersionPrefix)) return false;
  route.remove_prefix(kVersionPrefix.size());
  return matches(route, path);
}

HttpError acquire_error(const Error& error) {
  if (error.where == "model")
    return {.status = 404,
            .message = error.what + "; " + error.mend,
            .code = "model_not_found",
            .param = "model"};
  return {.status = 503,
          .message = error.what,
          .code = error.where == "loading" ? "model_failed" : "overloaded",
          .headers = {{"Retry-After", error.where == "loading" ? "30" : "5"}}};
}

}  // namespace

void refuse(const std::shared_ptr<HttpExchange>& exchange, HttpError error) {
  exchange->respond(Api::refusal_of(exchange->request().path, std::move(error)));
}

HttpResponse Api::refusal_of(std::string_view path, HttpError error) {
  const bool anthropic =
      reaches("/v1/messages", path) || reaches("/v1/messages/count_tokens", path);
  return anthropic ? message_refusal(std::move(error)) : error_response(std::move(error));
}

std::string random_id(std::string_view prefix) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::random_device device;
  std::string id(prefix);
  for (int word = 0; word < 4; ++word) {
    const uint32_t bits = device();
    for (int shift = 0; shift < 32; shift += 4) id += kDigits[bits >> shift & 15];
  }
  return id;
}

std::span<const Api::Route> Api::routes() {
  static const Route all[] = {
      {"GET", "/health", "Whether the server lives", "", "Health", &Api::health},
      {"GET", "/ready", "Whether the first model is loaded", "", "Ready", &Api::ready},
      {"GET", "/metrics", "Figures for Prometheus", "", "", &Api::metrics},
      {"GET", "/openapi.json", "This document", "", "OpenApi", &Api::openapi},
      {"GET", "/v1/models", "The models", "", "ModelList", &Api::list_models},
      {"GET", "/v1/models/{id}", "One model", "", "Model", &Api::show_model},
      {"POST", "/v1/chat/completions", "Answer a conversation", "ChatCompletionRequest",
       "ChatCompletion", &Api::chat},
      {"POST", "/v1/completions", "Continue a text", "CompletionRequest", "Completion",
       &Api::complete},
      {"POST", "/v1/embeddings", "Vectors of texts", "EmbeddingRequest", "Embeddings", &Api::embed},
      {"POST", "/v1/responses", "Answer a conversation, in OpenAI's newer form", "ResponseRequest",
       "Response", &Api::respond},
      {"GET", "/v1/responses/{id}", "A response that was stored", "", "Response",
       &Api::show_response},
      {"DELETE", "/v1/responses/{id}", "Forget a response", "", "ResponseDeleted",
       &Api::delete_response},
      {"POST", "/v1/messages", "Answer a conversation, in Anthropic's form", "MessageRequest",
       "Message", &Api::message},
      {"POST", "/v1/messages/count_tokens", "Tokens of a conversation", "CountTokensRequest",
       "TokenCount", &Api::count_tokens},
      {"POST", "/tokenize", "Tokens of a text", "TokenizeRequest", "Tokens", &Api::tokenize},
      {"POST", "/detokenize", "Text of tokens", "DetokenizeRequest", "TextOfTokens",
       &Api::detokenize},
      {"POST", "/apply-template", "A conversation as the model reads it", "ApplyTemplateRequest",
       "RenderedPrompt", &Api::apply_template},
      {"POST", "/v1/prefixes", "Keep the beginning of conversations in a file", "PrefixRequest",
       "Prefix", &Api::save_prefix},
      {"GET", "/v1/prefixes", "The beginnings that are kept", "", "PrefixList",
       &Api::list_prefixes},
      {"DELETE", "/v1/prefixes/{id}", "Delete one", "", "PrefixDeleted", &Api::delete_prefix},
  };
  return all;
}

Api::Api(std::unique_ptr<ModelHost> host, ApiOptions options)
    : options_(std::move(options)),
      started_(seconds_since_1970()),
      prefixes_(options_.prefix_folder),
      serve_metrics_(std::make_unique<ServeMetrics>(*options_.metrics, *host)),
      host_(std::move(host)) {}

Api::~Api() { prefixes_.stop(); }

std::string Api::route_of(std::string_view path) {
  for (const Route& route : routes())
    if (reaches(route.path, path)) return std::string(route.path);
  return find_asset(path) != nullptr ? "page" : "other";
}

void Api::handle(std::shared_ptr<HttpExchange> exchange) {
  const HttpRequest& request = exchange->request();
  std::string allowed;
  for (const Route& route : routes()) {
    if (!reaches(route.path, request.path)) continue;
    if (route.method == request.method) return (this->*route.answer)(exchange);
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  if (!allowed.empty())
    return refuse(exchange, {.status = 405,
                             .message = "use " + allowed + " here",
                             .code = "method_not_allowed",
                             .headers = {{"Allow", allowed}}});
  if (auto page = asset_response(request)) return exchange->respond(std::move(*page));
  refuse(exchange, {.status = 404,
                    .message = "there is nothing at " + printable(request.path) +
                               "; /openapi.json lists the routes",
                    .code = "not_found"});
}

void Api::with_model(const std::string& name, const Exchange& exchange, ModelTaker take) {
  host_->acquire(
      name, [exchange, take = std::move(take)](Result<std::shared_ptr<const ServedModel>> model) {
        if (model.ok()) return take(std::move(model).take_value());
        refuse(exchange, acquire_error(model.error()));
      });
}

RequestScene Api::scene(const Exchange& exchange, std::shared_ptr<const ServedModel> model,
                        const char* prefix) const {
  std::random_device device;
  // 53 bits: a number that every JSON reader gets right.
  const uint64_t seed = (static_cast<uint64_t>(device()) << 32 | device()) >> 11;
  return {.model = std::move(model),
          .id = random_id(prefix),
          .client = exchange->request().client,
          .random_seed = seed,
          .created = seconds_since_1970()};
}

void Api::start(GenerationPlan plan, const Exchange& exchange) {
  plan.on_complete = [this, more = std::move(plan.on_complete), exchange](const Outcome& outcome) {
    serve_metrics_->observe(outcome);
    if (more) more(outcome);
    if (options_.log_prompts)
      log_answer(exchange->request().request_id, exchange->request().body, outcome);
  };
  start_generation(std::move(plan), exchange);
}

void Api::log_answer(const std::string& request_id, const std::string& request,
                     const Outcome& outcome) const {
  OrderedJson texts = OrderedJson::array();
  for (const Choice& choice : outcome.choices)
    for (const AnswerSegment& segment : choice.segments) texts.push_back(segment.text);
  log(LogLevel::kInfo, json_line({{"request_id", request_id},
                                  {"id", outcome.id},
                                  {"request", request},
                                  {"answer", std::move(texts)}}));
}

}  // namespace ponder
