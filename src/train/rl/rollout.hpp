// Answers sampled from the model that is being trained, by the engine and on the weights
// themselves. What an answer is depends on the weights, its prompt and its seed, bit for bit, and
// not on what is sampled beside it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "device/context.hpp"
#include "engine/engine.hpp"
#include "model/model.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

struct RolloutOptions {
  int64_t context = 1024;    // tokens of a prompt and its answer
  int64_t max_tokens = 512;  // of an answer, its end included
  int64_t parallel = 64;     // sequences that are computed at a time
  uint64_t cache_bytes = 0;  // as in EngineOptions
  std::function<bool(int32_t)> is_end = {};
};

struct RolloutPrompt {
  std::vector<int32_t> tokens;
  uint64_t seed = 0;  // sample s draws with seed + s
  int samples = 1;
};

struct RolloutAnswer {
  std::vector<int32_t> tokens;         // the end token, if it came, included
  std::vector<float> log_probability;  // of each, in the distribution it was drawn from
  bool ended = false;                  // by its end token
};

// The seed of a prompt's samples: a function of these alone.
uint64_t rollout_seed(uint64_t seed, uint64_t step, uint64_t prompt);

class RolloutEngine {
 public:
  // `context` and `model` outlive it. Nobody else may compute with them during run(). Errors: the
  // cache does not fit, the context is longer than the model's.
  static Result<std::unique_ptr<RolloutEngine>> create(const Context& context, const Model& model,
                                                       const RolloutOptions& options);

  struct RunOptions {
    float temperature = 1.0f;         // 0: greedy
    std::function<bool()> stop = {};  // asked from the engine's thread, for each token
    std::function<void(int64_t done, int64_t total)> progress =
        {};  // answers; from the caller's thread
  };
  // The samples of each prompt. Errors: a prompt that leaves no room for an answer; a stop
  // ("stopped").
  Result<std::vector<std::vector<RolloutAnswer>>> run(std::span<const RolloutPrompt> prompts,
                                                      const RunOptions& options);
  // The weights have changed: what the cache holds is of no use any more.
  void forget() { engine_->forget_prefixes(); }
  const RolloutOptions& options() const { return options_; }

 private:
  RolloutEngine(RolloutOptions options, std::unique_ptr<Engine> engine)
      : options_(std::move(options)), engine_(std::move(engine)) {}

  RolloutOptions options_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace ponder
