// An API for tests: its engine says what the test tells it to, its exchanges keep what is sent.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "serve/api.hpp"
#include "testing/test_tokens.hpp"

namespace ponder::testing {

constexpr std::chrono::seconds kLong{20};  // for what must come; nothing waits for it to pass

// Keeps requests; the test speaks for the engine, from its own thread. Tokens of texts are their
// bytes.
class FakeBackend : public Backend {
 public:
  struct Request {
    uint64_t id = 0;
    GenerationRequest asked;
    std::shared_ptr<GenerationSink> sink;
  };

  Submitted submit(GenerationRequest request, std::shared_ptr<GenerationSink> sink) override {
    const std::lock_guard lock(mutex_);
    if (refuse_after >= 0 && std::ssize(requests) >= refuse_after) return refusal;
    requests.push_back({++ids_, std::move(request), std::move(sink)});
    return {.id = ids_};
  }
  Submitted submit(EmbeddingRequest request, EmbeddingSink sink) override {
    embedded.push_back(std::move(request));
    sink(std::vector<float>{0.6f, -0.8f});
    return {.id = ++ids_};
  }
  void cancel(uint64_t id) override { cancelled.insert(id); }
  EngineStats stats() const override { return counted; }
  Result<int64_t> save_prefix(std::span<const int32_t> tokens,
                              const std::filesystem::path& file) override {
    PONDER_TRY(write_file(file, "prefix"));
    return std::ssize(tokens);
  }
  Result<int64_t> load_prefix(const std::filesystem::path& file) override {
    if (PONDER_TRY(read_file(file, 100)) != "prefix") return Failure{{.what = "damaged"}};
    return 1;
  }

  // False: the choice shall end.
  bool say(size_t request, const std::string& text, int choice = 0) {
    const float probability = -0.5f;
    for (const char byte : text) {
      const LikelyToken likely{static_cast<uint8_t>(byte), probability};
      if (!requests.at(request).sink->on_token({.choice = choice,
                                                .token = likely.token,
                                                .log_probability = probability,
                                                .likely = {&likely, 1}}))
        return false;
    }
    return true;
  }
  bool say_token(size_t request, int32_t token, float log_probability = -1.0f, int choice = 0) {
    return requests.at(request).sink->on_token(
        {.choice = choice, .token = token, .log_probability = log_probability, .likely = {}});
  }
  void finish(size_t request, int64_t tokens, FinishReason reason = FinishReason::kStop,
              int choice = 0) {
    requests.at(request).sink->on_finish(
        {.choice = choice,
         .reason = reason,
         .prompt_tokens = std::ssize(requests[request].asked.prompt),
         .cached_tokens = 2,
         .generated_tokens = tokens,
         .drafts = {},
         .timings = {.queue_seconds = 0.5, .prompt_seconds = 0.25, .generate_seconds = 2.0}});
  }

  std::vector<Request> requests;
  std::vector<EmbeddingRequest> embedded;
  std::set<uint64_t> cancelled;
  int64_t refuse_after = -1;  // requests that are taken; −1: all
  Submitted refusal = {};
  EngineStats counted = {};

 private:
  std::mutex mutex_;
  uint64_t ids_ = 0;
};

class FakeExchange : public HttpExchange {
 public:
  explicit FakeExchange(HttpRequest request) : request_(std::move(request)) {}

  const HttpRequest& request() const override { return request_; }
  void respond(HttpResponse response) override {
    EXPECT_FALSE(answered || streaming) << "answered twice";
    answer = std::move(response);
    answered = true;
  }
  void start_stream(HttpHeaders) override {
    EXPECT_FALSE(answered || streaming) << "answered twice";
    streaming = true;
  }
  bool send(std::string text) override {
    EXPECT_TRUE(streaming && !finished);
    if (gone) return false;
    sent += text;
    return true;
  }
  void finish() override { finished = true; }
  void on_disconnect(std::function<void()> call) override { leave = std::move(call); }

  OrderedJson json() const {
    EXPECT_TRUE(answered);
    return OrderedJson::parse(answer.body);
  }
  // The data of the events, "[DONE]" as a text.
  std::vector<OrderedJson> events() const {
    std::vector<OrderedJson> list;
    for (size_t at = sent.find("data: "); at != std::string::npos; at = sent.find("data: ", at)) {
      at += 6;
      const std::string data = sent.substr(at, sent.find('\n', at) - at);
      list.push_back(data == "[DONE]" ? OrderedJson(data) : OrderedJson::parse(data));
    }
    return list;
  }

  HttpResponse answer;
  std::atomic<bool> answered = false;  // then `answer` is there; perhaps from another thread
  bool streaming = false, finished = false, gone = false;
  std::string sent;
  std::function<void()> leave;

 private:
  HttpRequest request_;
};

struct FakeModelOptions {
  std::string chat_template = "qwen2.5";
  int64_t context = 4096;
  std::filesystem::path prefix_folder = {};
};

inline std::unique_ptr<ServedModel> fake_model(const std::string& name,
                                               std::unique_ptr<Backend> backend,
                                               const FakeModelOptions& options = {}) {
  Tokenizer tokenizer = tokenizer_with({"<think>", "</think>", "<tool_call>", "</tool_call>"},
                                       {"<|im_start|>", "<|im_end|>"});
  auto model = std::unique_ptr<ServedModel>(
      new ServedModel{.name = name,
                      .tokenizer = tokenizer,
                      .chat_template = ChatTemplate::by_name(options.chat_template),
                      .context = options.context,
                      .width = 2,
                      .fingerprint = name + "/ref/0"});
  model->details = {{"n_ctx", options.context}};
  model->constraints = std::make_shared<ConstraintCache>(tokenizer);
  model->backend = std::move(backend);
  return model;
}

// An API whose one model, "fake", is loaded.
class FakeServing {
 public:
  explicit FakeServing(const FakeModelOptions& options = {}) {
    ModelHostOptions host;
    host.names = {"fake"};
    host.load = [this, options](const std::string& name,
                                const ProgressSink&) -> Result<std::unique_ptr<ServedModel>> {
      auto made = std::make_unique<FakeBackend>();
      backend_ = made.get();
      return fake_model(name, std::move(made), options);
    };
    api_ = std::make_unique<Api>(std::make_unique<ModelHost>(std::move(host)),
                                 ApiOptions{.prefix_folder = options.prefix_folder});
    std::mutex mutex;
    std::condition_variable loaded;
    bool done = false;
    api_->host().acquire("", [&](const auto&) {
      const std::lock_guard lock(mutex);
      done = true;
      loaded.notify_all();
    });
    std::unique_lock lock(mutex);
    EXPECT_TRUE(loaded.wait_for(lock, kLong, [&] { return done; }));
  }

  std::shared_ptr<FakeExchange> ask(const std::string& method, const std::string& path,
                                    const std::string& body = "",
                                    const std::string& client = "me") {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.client = client;
    auto exchange = std::make_shared<FakeExchange>(std::move(request));
    api_->handle(exchange);
    return exchange;
  }
  std::shared_ptr<FakeExchange> post(const std::string& path, const OrderedJson& body) {
    return ask("POST", path, body.dump());
  }
  // A chat of one message with these fields besides.
  std::shared_ptr<FakeExchange> chat(OrderedJson fields = OrderedJson::object()) {
    OrderedJson body = {{"messages", {{{"role", "user"}, {"content", "Hi"}}}}};
    body.update(fields);
    return post("/v1/chat/completions", body);
  }

  FakeBackend& backend() { return *backend_; }
  Api& api() { return *api_; }

 private:
  FakeBackend* backend_ = nullptr;
  std::unique_ptr<Api> api_;
};

}  // namespace ponder::testing
