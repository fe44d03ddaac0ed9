// The routes: OpenAI's and Anthropic's APIs, and what a server tells about itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "serve/generation.hpp"
#include "serve/http/exchange.hpp"
#include "serve/http/metrics.hpp"
#include "serve/model_host.hpp"
#include "serve/prefix_store.hpp"
#include "serve/prepare.hpp"
#include "serve/response_store.hpp"
#include "serve/serve_metrics.hpp"

namespace ponder {

struct ApiOptions {
  std::string version = {};  // of the program
  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
  bool log_prompts = false;
  std::filesystem::path prefix_folder = {};  // where prefixes are saved; empty: they are not
};

// Must outlive the server that calls it.
class Api {
 public:
  Api(std::unique_ptr<ModelHost> host, ApiOptions options);
  ~Api();

  // The server's handler. Answers at once, or when a model has; never waits.
  void handle(std::shared_ptr<HttpExchange> exchange);
  // The label of a path in metrics: its route, as in the list below.
  static std::string route_of(std::string_view path);
  // What the server refuses by itself, in the form of the API that the path belongs to.
  static HttpResponse refusal_of(std::string_view path, HttpError error);

  ModelHost& host() { return *host_; }

  struct Route {
    std::string_view method, path;  // a path that ends in "/{id}" takes any rest
    std::string_view summary;
    std::string_view schema;  // of the body, a name in request_schemas(); empty: there is none
    std::string_view reply;   // of the answer, a name in answer_schemas(); empty: it is no JSON
    void (Api::*answer)(const std::shared_ptr<HttpExchange>& exchange);
  };
  static std::span<const Route> routes();

 private:
  using Exchange = std::shared_ptr<HttpExchange>;
  using ModelTaker = std::function<void(std::shared_ptr<const ServedModel>)>;

  void health(const Exchange& exchange);
  void ready(const Exchange& exchange);
  void metrics(const Exchange& exchange);
  void openapi(const Exchange& exchange);
  void list_models(const Exchange& exchange);
  void show_model(const Exchange& exchange);
  void chat(const Exchange& exchange);
  void complete(const Exchange& exchange);
  void embed(const Exchange& exchange);
  void respond(const Exchange& exchange);
  void show_response(const Exchange& exchange);
  void delete_response(const Exchange& exchange);
  void message(const Exchange& exchange);
  void count_tokens(const Exchange& exchange);
  void tokenize(const Exchange& exchange);
  void detokenize(const Exchange& exchange);
  void apply_template(const Exchange& exchange);
  void save_prefix(const Exchange& exchange);
  void list_prefixes(const Exchange& exchange);
  void delete_prefix(const Exchange& exchange);

  // Calls `take` with the model, now or later, or answers why there is none.
  void with_model(const std::string& name, const Exchange& exchange, ModelTaker take);
  RequestScene scene(const Exchange& exchange, std::shared_ptr<const ServedModel> model,
                     const char* prefix) const;
  // Completes the plan with what belongs to every request, and starts it.
  void start(GenerationPlan plan, const Exchange& exchange);
  void store_response(const std::string& client, const OrderedJson& echo,
                      std::vector<ChatMessage> messages, const Outcome& outcome);
  void log_answer(const std::string& request_id, const std::string& request,
                  const Outcome& outcome) const;
  OrderedJson model_json(const ModelHost::Status& status) const;

  ApiOptions options_;
  int64_t started_;  // seconds since 1970
  ResponseStore responses_;
  PrefixStore prefixes_;
  std::unique_ptr<ServeMetrics> serve_metrics_;
  std::unique_ptr<ModelHost> host_;  // last: its threads use the others
};

// An error in the form of the API that the path belongs to.
void refuse(const std::shared_ptr<HttpExchange>& exchange, HttpError error);
// "prefix" and 32 random hexadecimal digits.
std::string random_id(std::string_view prefix);

// The OpenAPI document of routes().
OrderedJson openapi_document(std::string_view version);

}  // namespace ponder
