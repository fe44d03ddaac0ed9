// Many sequences at once on one model: continuous batching over a paged cache whose prefixes are
// shared. A request's tokens depend on the request alone, bit for bit, whatever else is served.
// H hidden width.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/draft.hpp"
#include "engine/generate.hpp"
#include "ops/sample/sample.hpp"
#include "text/token_guide.hpp"

namespace ponder {

struct EngineOptions {
  int64_t context = 4096;    // tokens of one sequence, prompt and answer
  uint64_t cache_bytes = 0;  // hard limit of the cache of all sequences; 0: a quarter of memory
  DType kv_dtype = DType::kF16;
  int64_t parallel = 64;             // sequences that are computed at a time
  int64_t queue = 256;               // requests that may wait
  int64_t step_tokens = 512;         // of all sequences that go through the model together
  int64_t busy_prompt_tokens = 128;  // of prompts among them while answers are being generated
  bool share_prefixes = true;
  Speculation speculation = Speculation::kOff;
  int64_t draft = 8;  // tokens guessed at a time, at most
};

struct LikelyToken {
  int32_t token = 0;
  float log_probability = 0.0f;
};

// One token of one choice.
struct TokenEvent {
  int choice = 0;
  int32_t token = 0;
  float log_probability = 0.0f;         // if asked for
  std::span<const LikelyToken> likely;  // the likeliest, best first, as many as asked for
};

struct RequestTimings {
  double queue_seconds = 0.0;     // until the first of its tokens went through the model
  double prompt_seconds = 0.0;    // from then to the first generated token
  double generate_seconds = 0.0;  // from then on
};

// The end of one choice.
struct FinishEvent {
  int choice = 0;
  FinishReason reason = FinishReason::kStop;
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;     // of the prompt, found in the cache
  int64_t generated_tokens = 0;  // those that on_token() has seen
  DraftCounts drafts;
  RequestTimings timings;
};

// Receives what a request gives. Called from the engine's thread: must be quick and must not block.
// After the last choice's on_finish(), or after on_error(), nothing more comes.
class GenerationSink {
 public:
  virtual ~GenerationSink() = default;
  // Tokens of the prompt with their log-probabilities (the first has none: NaN), before any other
  // event, if asked for.
  virtual void on_prompt(std::span<const TokenEvent> /*tokens*/) {}
  // False: this choice ends here, with reason kStop.
  virtual bool on_token(const TokenEvent& event) = 0;
  virtual void on_finish(const FinishEvent& event) = 0;
  virtual void on_error(const Error& error) = 0;
};

struct GenerationRequest {
  std::vector<int32_t> prompt;
  SamplingOptions sampling = {};                                 // choice c draws with seed + c
  int64_t max_tokens = -1;                                       // −1: until the context is full
  int choices = 1;                                               // answers to the same prompt
  std::function<bool(int32_t)> is_end = {};                      // Tokenizer::is_end; empty: never
  std::function<std::unique_ptr<TokenGuide>()> make_guide = {};  // one for each choice; or empty
  int likely = -1;                        // −1: no log-probabilities; else TokenEvent::likely
  bool prompt_log_probabilities = false;  // on_prompt(); the whole prompt is computed for it
  // TokenEvent::log_probability is that of the distribution after temperature (> 0), as training
  // computes it (ops/xent). For samplings that change logits by nothing else.
  bool sampled_log_probability = false;
  std::string client = {};  // whose it is: clients get equal shares
  int priority = 0;         // higher goes first
  bool speculate = true;    // where the engine does
};

enum class Pooling { kLast, kMean };

struct EmbeddingRequest {
  std::vector<int32_t> tokens;
  Pooling pooling = Pooling::kLast;
  std::string client = {};
  int priority = 0;
};
using EmbeddingSink = std::function<void(Result<std::vector<float>>)>;  // (H), length 1

struct EngineStats {
  int64_t running = 0, waiting = 0;   // sequences; requests
  int64_t pages = 0, pages_used = 0;  // of the cache; in use by running sequences
  int64_t pages_cached = 0;           // kept for prefixes, given up when needed
  uint64_t page_bytes = 0;
  int64_t page_tokens = 0;
  uint64_t prompt_tokens = 0;  // counters from the start
  uint64_t cached_tokens = 0;
  uint64_t generated_tokens = 0;
  uint64_t requests = 0, cancelled = 0, preempted = 0, evicted_pages = 0, steps = 0;
  uint64_t drafted_tokens = 0, accepted_tokens = 0;
};

enum class SubmitError { kNone, kTooLong, kQueueFull, kStopping, kInvalid };

struct Submitted {
  uint64_t id = 0;  // of the request, for cancel(); 0: refused
  SubmitError error = SubmitError::kNone;
  Error why = {};
};

class Engine {
 public:
  // Starts the engine's thread. `context` and `model` must outlive the engine, and are used by it
  // alone. Errors: the cache does not fit.
  static Result<std::unique_ptr<Engine>> create(const Context& context, const Model& model,
                                                const EngineOptions& options);
  // Cancels what is unfinished.
  ~Engine();

  // From any thread.
  Submitted submit(GenerationRequest request, std::shared_ptr<GenerationSink> sink);
  Submitted submit(EmbeddingRequest request, EmbeddingSink sink);
  // Ends a request: on_finish() with kCancelled for its open choices, after at most one step, and
  // its pages are free. Unknown ids are ignored.
  void cancel(uint64_t id);
  EngineStats stats() const;

  // The prefix tree's best match of `tokens`, to a file and back: later requests find it in the
  // cache, also after a restart. Block until the engine's thread has done it. Returns tokens.
  Result<int64_t> save_prefix(std::span<const int32_t> tokens, const std::filesystem::path& file);
  Result<int64_t> load_prefix(const std::filesystem::path& file);
  // Nothing of earlier requests is found any more: their keys and values are of weights that have
  // changed since. No request may be unfinished. Blocks as above.
  void forget_prefixes();

  const EngineOptions& options() const { return options_; }
  const Model& model() const { return *model_; }

 private:
  class Scheduler;
  Engine() = default;
  std::optional<Submitted> refusal(std::span<const int32_t> tokens) const;

  EngineOptions options_;
  const Model* model_ = nullptr;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace ponder
