#include "serve/embeddings.hpp"

#include <cstring>
#include <mutex>

#include "serve/generation.hpp"
#include "serve/prepare.hpp"

namespace ponder {
namespace {

constexpr const char* kHonest =
    "this model was made to write, not to embed: its vectors are pooled hidden states";

class Embeddings : public std::enable_shared_from_this<Embeddings> {
 public:
  Embeddings(EmbeddingCall call, std::shared_ptr<const ServedModel> model,
             std::shared_ptr<HttpExchange> exchange)
      : call_(std::move(call)), model_(std::move(model)), exchange_(std::move(exchange)) {}

  void start() {
    auto requests = make_requests();
    if (!requests.ok()) return exchange_->respond(error_response(request_error(requests.error())));
    vectors_.resize(requests.value().size());
    open_ = vectors_.size();
    exchange_->on_disconnect([weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        const std::lock_guard lock(self->mutex_);
        self->end();
      }
    });
    for (size_t i = 0; i < vectors_.size(); ++i) {
      const Submitted submitted = model_->backend->submit(
          std::move(requests.value()[i]),
          [self = shared_from_this(), i](Result<std::vector<float>> vector) {
            self->take(i, std::move(vector));
          });
      const std::lock_guard lock(mutex_);
      if (submitted.error != SubmitError::kNone) return fail(refusal_error(submitted));
      ids_.push_back(submitted.id);
      if (over_) return end();
    }
  }

 private:
  Result<std::vector<EmbeddingRequest>> make_requests() {
    if (call_.dimensions && *call_.dimensions != model_->width)
      return Failure{
          {.what = "vectors of this model have " + std::to_string(model_->width) + " dimensions",
           .where = "dimensions"}};
    std::vector<EmbeddingRequest> requests;
    for (size_t i = 0; i < call_.inputs.size(); ++i) {
      const std::string where =
          call_.inputs.size() == 1 ? "input" : "input[" + std::to_string(i) + "]";
      EmbeddingRequest request{.tokens = {},
                               .pooling = call_.mean ? Pooling::kMean : Pooling::kLast,
                               .client = exchange_->request().client,
                               .priority = call_.priority};
      request.tokens = PONDER_TRY(tokens_of_text(call_.inputs[i], model_->tokenizer, where));
      PONDER_TRY(check_length(std::ssize(request.tokens), *model_, where));
      tokens_ += std::ssize(request.tokens);
      requests.push_back(std::move(request));
    }
    return requests;
  }

  void take(size_t number, Result<std::vector<float>> vector) {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    if (!vector.ok()) {
      return fail({.status = 500, .message = vector.error().message(), .code = "embedding_failed"});
    }
    vectors_[number] = std::move(vector).take_value();
    if (--open_ > 0) return;
    over_ = true;
    exchange_->respond({.body = json_line(answer()), .headers = {{"x-ponder-warning", kHonest}}});
  }

  OrderedJson answer() const {
    OrderedJson data = OrderedJson::array();
    for (size_t i = 0; i < vectors_.size(); ++i) {
      const OrderedJson vector =
          call_.base64 ? OrderedJson(base64_floats(vectors_[i])) : OrderedJson(vectors_[i]);
      data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", vector}});
    }
    return {{"object", "list"},
            {"data", std::move(data)},
            {"model", model_->name},
            {"usage", {{"prompt_tokens", tokens_}, {"total_tokens", tokens_}}},
            {"warning", kHonest}};
  }

  void fail(HttpError error) {
    if (over_) return;
    end();
    exchange_->respond(error_response(std::move(error)));
  }

  void end() {
    over_ = true;
    for (const uint64_t id : ids_) model_->backend->cancel(id);
  }

  EmbeddingCall call_;
  std::shared_ptr<const ServedModel> model_;
  std::shared_ptr<HttpExchange> exchange_;
  int64_t tokens_ = 0;
  std::mutex mutex_;  // guards the rest
  std::vector<std::vector<float>> vectors_;
  std::vector<uint64_t> ids_;
  size_t open_ = 0;
  bool over_ = false;
};

}  // namespace

std::string base64_floats(const std::vector<float>& values) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (i + j < bytes.size() ? bytes[i + j] : 0u);
    for (size_t j = 0; j < 4; ++j) {
      const bool filled = i + j <= bytes.size();
      text += filled ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

void start_embeddings(EmbeddingCall call, std::shared_ptr<const ServedModel> model,
                      std::shared_ptr<HttpExchange> exchange) {
  std::make_shared<Embeddings>(std::move(call), std::move(model), std::move(exchange))->start();
}

}  // namespace ponder
