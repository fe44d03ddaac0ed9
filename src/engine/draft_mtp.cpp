// Drafts of the multi-token-prediction block (model-spec §6; DeepSeek-V3 2412.19437 §2.2, and
// §5.4.3 for its use here). Its position i takes the model's hidden state h_i and the token
// t_{i+1}.
#include <algorithm>

#include "engine/draft.hpp"
#include "model/forward.hpp"
#include "ops/sample/sample.hpp"

namespace ponder {
namespace {

// Hidden states that wait for the next draft; more go through the block at once.
constexpr int64_t kMaxWaiting = 32;

class MtpDrafter : public Drafter {
 public:
  MtpDrafter(const Context& context, const Model& model, KvCache cache)
      : context_(&context),
        model_(&model),
        cache_(std::move(cache)),
        width_(model.config().hidden),
        state_(static_cast<size_t>(width_)),
        logits_(static_cast<size_t>(model.config().vocab)) {}

  bool wants_hidden() const override { return true; }
  uint64_t bytes() const override { return cache_.bytes(); }

  Result<void> observe(std::span<const int32_t> tokens, const float* hidden,
                       int64_t rows) override {
    waiting_.insert(waiting_.end(), hidden, hidden + rows * width_);
    if (waiting() <= kMaxWaiting) return {};
    if (!cache_.reserve(waiting() - 1)) {  // forget what was before: a guess may be worse for it
      const int64_t end = first_ + cache_.length() + waiting();
      waiting_.erase(waiting_.begin(), waiting_.end() - width_);
      cache_.clear();
      first_ = end - 1;
      return {};
    }
    // The last one stays: its next token may be unknown, and it is where a draft begins.
    return catch_up(tokens, waiting() - 1, 0);
  }

  Result<void> draft(std::span<const int32_t> tokens, int64_t most,
                     std::vector<int32_t>& out) override {
    PONDER_CHECK(first_ + cache_.length() + waiting() + 1 == std::ssize(tokens));
    // Guesses need states to begin with, and a pool that others use may be empty.
    if (waiting() == 0 || !cache_.reserve(waiting() + most - 1)) return {};
    PONDER_TRY(catch_up(tokens, waiting(), 1));
    const int64_t known = cache_.length();
    out.push_back(likeliest());
    auto status = chain(most - 1, out);
    cache_.truncate(known);
    return status;
  }

  int64_t keep(int64_t length) override {
    const int64_t known = first_ + cache_.length();
    PONDER_CHECK(length >= 0 && length <= known + waiting());
    if (length > known) {
      waiting_.resize(static_cast<size_t>((length - known) * width_));
      return length;
    }
    // The cache's last position has seen the token at `length`: it must be made again.
    waiting_.clear();
    if (length <= first_) {
      begin(0);
      return 0;
    }
    cache_.truncate(length - 1 - first_);
    return length - 1;
  }

  // Positions are rotated relative to each other only, so the cache may start anywhere.
  void begin(int64_t length) override {
    waiting_.clear();
    cache_.clear();
    first_ = length;
  }

 private:
  int64_t waiting() const { return std::ssize(waiting_) / width_; }

  // Takes the first `rows` waiting states into the cache.
  Result<void> catch_up(std::span<const int32_t> tokens, int64_t rows, int64_t logit_rows) {
    const auto next = tokens.subspan(static_cast<size_t>(first_ + cache_.length() + 1));
    PONDER_TRY(predict(next.first(static_cast<size_t>(rows)), waiting_.data(), logit_rows));
    waiting_.erase(waiting_.begin(), waiting_.begin() + rows * width_);
    return {};
  }

  // More guesses: the block takes its own hidden state for the model's. It is the one after
  // shared_head.norm, as the model's is after the final norm, which is what the block was trained
  // on; SGLang does the same, vLLM takes the one before.
  Result<void> chain(int64_t count, std::vector<int32_t>& out) {
    for (int64_t i = 0; i < count; ++i) {
      const int32_t last = out.back();
      PONDER_TRY(predict({&last, 1}, state_.data(), 1));
      out.push_back(likeliest());
    }
    return {};
  }

  Result<void> predict(std::span<const int32_t> next, const float* hidden, int64_t logit_rows) {
    return mtp_forward(*context_, *model_, cache_,
                       {.next_tokens = next,
                        .hidden = hidden,
                        .logit_rows = logit_rows,
                        .logits = logits_.data(),
                        .hidden_out = state_.data()});
  }

  int32_t likeliest() { return sample(logits_.span(), {}, {}, 0); }

  const Context* context_;
  const Model* model_;
  int64_t first_ = 0;  // the sequence's position that the cache begins with
  KvCache cache_;      // of positions whose state and next token are the sequence's own
  int64_t width_;
  std::vector<float> waiting_;  // (waiting, H): states of the positions after the cache's
  Buffer<float> state_;         // (H): the block's last output
  Buffer<float> logits_;        // (V)
};

}  // namespace

Result<std::unique_ptr<Drafter>> make_mtp_drafter(const Context& context, const Model& model,
                                                  const DrafterOptions& options) {
  if (!model.has_mtp()) {
    return Failure{{.what = "was opened without a multi-token-prediction block",
                    .where = model.path().string(),
                    .mend = "open it with load_mtp"}};
  }
  if (options.pool)
    return std::unique_ptr<Drafter>(
        std::make_unique<MtpDrafter>(context, model, KvCache(options.pool, options.context)));
  KvCache cache = PONDER_TRY(KvCache::create(
      model.config(), {.capacity = options.context, .dtype = options.kv_dtype, .layers = 1}));
  return std::unique_ptr<Drafter>(std::make_unique<MtpDrafter>(context, model, std::move(cache)));
}

}  // namespace ponder
