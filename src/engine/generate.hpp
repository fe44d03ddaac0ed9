// One sequence being generated, in tokens: prompt in, tokens out, one at a time. V vocabulary.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "core/buffer.hpp"
#include "device/context.hpp"
#include "engine/draft.hpp"
#include "model/forward.hpp"
#include "ops/sample/sample.hpp"

namespace ponder {

enum class FinishReason {
  kStop,         // the model ended: an end token, which is not part of the output
  kLength,       // max_tokens were generated
  kContextFull,  // the cache has no room for another token
  kCancelled,    // the stop flag, or on_token said so
};

std::string_view finish_reason_name(FinishReason reason);  // "stop", "length" …

struct SessionOptions {
  int64_t context = 4096;  // positions of the cache
  DType kv_dtype = DType::kF16;
  int64_t prompt_chunk = 256;  // tokens of a prompt between two looks at progress and stop
  int64_t draft = 8;           // with a drafter: tokens guessed at a time, at most (> 0)
};

struct PrefillOptions {
  ProgressSink progress = {};  // unit "tokens"
  const std::atomic<bool>* stop = nullptr;
};

struct PrefillResult {
  int64_t tokens = 0;  // length of the prompt
  int64_t reused = 0;  // of these, found in the cache from before
};

struct GenerateOptions {
  SamplingOptions sampling = {};
  int64_t max_tokens = -1;                     // −1: until the context is full
  std::function<bool(int32_t)> is_end = {};    // Tokenizer::is_end; empty: never
  std::function<bool(int32_t)> on_token = {};  // each token as it comes; false: stop. May be empty
  const std::atomic<bool>* stop = nullptr;     // may be set from another thread or a signal
};

struct DraftCounts {
  int64_t passes = 0;    // forward passes of the model, that of the prompt not counted
  int64_t drafted = 0;   // tokens that were guessed
  int64_t accepted = 0;  // of these, the ones that were generated
};

struct GenerateResult {
  std::vector<int32_t> tokens;  // without the end token
  FinishReason reason = FinishReason::kStop;
  DraftCounts drafts;
};

class Session {
 public:
  // `context` and `model` must outlive the session. Fails if the cache does not fit. With a drafter
  // one forward pass may give several tokens. A pass computes the bits of token by token, and every
  // token is chosen from its own logits, history and draw number: the tokens stay the same.
  static Result<Session> create(const Context& context, const Model& model,
                                const SessionOptions& options = {},
                                std::unique_ptr<Drafter> drafter = nullptr);

  // Makes `tokens` the sequence so far. What the cache already holds of it, counted from the
  // beginning, token id by token id, is not computed again. Errors: no tokens, an id outside the
  // vocabulary, more tokens than the context holds (nothing is changed then), "stopped" (what is
  // done stays usable for the next call).
  Result<PrefillResult> prefill(std::span<const int32_t> tokens,
                                const PrefillOptions& options = {});

  // Chooses the next token and appends it to the sequence. Draw number: tokens generated since
  // prefill(). Errors: no prefill() before, the context is full (see full()), "stopped".
  Result<int32_t> next(const SamplingOptions& sampling, const std::atomic<bool>* stop = nullptr);

  // next() until something ends it. Errors only where forward() has one.
  Result<GenerateResult> generate(const GenerateOptions& options);

  bool full() const;                                           // next() has no room
  std::span<const int32_t> tokens() const { return tokens_; }  // prompt and generated
  std::span<const float> logits() const {
    return logits_.span().subspan(row_ * vocab(), vocab());
  }  // (V) that next() chooses from; changed by it
  int64_t capacity() const { return cache_.capacity(); }
  uint64_t cache_bytes() const { return cache_.bytes() + (drafter_ ? drafter_->bytes() : 0); }

 private:
  Session(const Context& context, const Model& model, KvCache cache, const SessionOptions& options,
          std::unique_ptr<Drafter> drafter);

  // What bounds a draft, and how it is stopped.
  struct Step {
    int64_t most = INT64_MAX;  // guesses that are of use
    const std::function<bool(int32_t)>* is_end = nullptr;
    const std::atomic<bool>* stop = nullptr;
  };

  size_t vocab() const { return static_cast<size_t>(model_->config().vocab); }
  Result<int32_t> choose(const SamplingOptions& sampling, const Step& step);
  Result<void> evaluate(const PrefillOptions& options);
  Result<void> advance(const Step& step);
  Result<void> make_draft(const Step& step);
  Result<void> feed(std::span<const int32_t> tokens, int64_t logit_rows,
                    const std::atomic<bool>* stop);
  void forget_draft();
  Result<void> observe();

  const Context* context_;
  const Model* model_;
  KvCache cache_;
  SessionOptions options_;
  std::unique_ptr<Drafter> drafter_;  // or none
  DraftLength draft_length_;

  std::vector<int32_t> tokens_;  // the sequence; the cache holds a beginning of it, then draft_
  int64_t prompt_ = 0;           // how many of tokens_ came from prefill()
  // The last forward pass: the logits of what was the last token then, and of every guess after it.
  std::vector<int32_t> draft_;
  Buffer<float> logits_;       // (1 + draft, V)
  size_t row_ = 0;             // of logits_ that comes next: so many guesses were right
  bool logits_ready_ = false;  // row_ belongs to the last token of tokens_

  Buffer<float> hidden_;  // (chunk or 1 + draft, H): states from position observed_ on
  int64_t observed_ = 0;  // positions that the drafter has seen
  DraftCounts counts_;
};

}  // namespace ponder
