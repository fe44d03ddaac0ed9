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
#include "engine/sequence.hpp"
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

  bool full() const { return sequence_.full(); }                          // next() has no room
  std::span<const int32_t> tokens() const { return sequence_.tokens(); }  // prompt and generated
  std::span<const float> logits() const {
    return row(sequence_.row());
  }  // (V) that next() chooses from; changed by it
  int64_t capacity() const { return sequence_.cache().capacity(); }
  uint64_t cache_bytes() const { return sequence_.bytes(); }

 private:
  Session(const Context& context, const Model& model, Sequence sequence,
          const SessionOptions& options);

  size_t vocab() const { return static_cast<size_t>(model_->config().vocab); }
  std::span<const float> row(int64_t row) const {
    return logits_.span().subspan(static_cast<size_t>(row) * vocab(), vocab());
  }
  Result<int32_t> choose(const SamplingOptions& sampling, const Sequence::StepLimits& limits,
                         const std::atomic<bool>* stop);
  Result<void> evaluate(const Sequence::StepLimits& limits, const PrefillOptions& options);

  const Context* context_;
  const Model* model_;
  Sequence sequence_;
  SessionOptions options_;
  Buffer<float> logits_;  // (1 + draft, V) of the last pass
};

}  // namespace ponder
