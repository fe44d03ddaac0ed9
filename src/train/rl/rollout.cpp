#include "train/rl/rollout.hpp"

#include <condition_variable>
#include <mutex>

#include "base/rng.hpp"

namespace ponder {
namespace {

// What all requests of one run() report to.
struct Tally {
  std::mutex mutex;
  std::condition_variable changed;
  int64_t open = 0, done = 0, total = 0;
  std::optional<Error> error;
  const std::function<bool()>* stop = nullptr;
  const std::function<bool(int32_t)>* is_end = nullptr;

  bool stopping() const { return *stop && (*stop)(); }
};

// Collects the samples of one prompt.
class Collector : public GenerationSink {
 public:
  Collector(Tally& tally, std::vector<RolloutAnswer>& answers)
      : tally_(tally), answers_(answers), open_(std::ssize(answers)) {}

  bool on_token(const TokenEvent& event) override {
    RolloutAnswer& answer = answers_[static_cast<size_t>(event.choice)];
    answer.tokens.push_back(event.token);
    answer.log_probability.push_back(event.log_probability);
    answer.ended = *tally_.is_end && (*tally_.is_end)(event.token);
    return !answer.ended && !tally_.stopping();
  }
  void on_finish(const FinishEvent&) override { close(1, std::nullopt); }
  // Nothing more comes for any of the samples.
  void on_error(const Error& error) override { close(open_, error); }

 private:
  void close(int64_t count, std::optional<Error> error) {
    open_ -= count;
    const std::lock_guard lock(tally_.mutex);
    tally_.open -= count;
    tally_.done += count;
    if (error && !tally_.error) tally_.error = std::move(error);
    tally_.changed.notify_all();
  }

  Tally& tally_;
  std::vector<RolloutAnswer>& answers_;
  int64_t open_;  // of the engine's thread
};

}  // namespace

uint64_t rollout_seed(uint64_t seed, uint64_t step, uint64_t prompt) {
  return Rng(seed, step, prompt).next_u64();
}

Result<std::unique_ptr<RolloutEngine>> RolloutEngine::create(const Context& context,
                                                             const Model& model,
                                                             const RolloutOptions& options) {
  auto engine = PONDER_TRY(Engine::create(context, model,
                                          {.context = options.context,
                                           .cache_bytes = options.cache_bytes,
                                           .kv_dtype = DType::kF32,
                                           .parallel = options.parallel,
                                           .queue = INT64_MAX,
                                           .busy_prompt_tokens = 512}));
  return std::unique_ptr<RolloutEngine>(new RolloutEngine(options, std::move(engine)));
}

Result<std::vector<std::vector<RolloutAnswer>>> RolloutEngine::run(
    std::span<const RolloutPrompt> prompts, const RunOptions& options) {
  std::vector<std::vector<RolloutAnswer>> answers(prompts.size());
  Tally tally;
  tally.stop = &options.stop;
  tally.is_end = &options_.is_end;
  for (const RolloutPrompt& prompt : prompts) {
    if (std::ssize(prompt.tokens) >= options_.context) {
      return Failure{{.what = "a prompt of " + std::to_string(prompt.tokens.size()) +
                              " tokens leaves no room for an answer in a context of " +
                              std::to_string(options_.context),
                      .where = "rollouts",
                      .mend = "use a larger context, or leave out long prompts"}};
    }
    tally.total += prompt.samples;
  }
  tally.open = tally.total;
  std::optional<Error> refused;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const RolloutPrompt& prompt = prompts[i];
    answers[i].resize(static_cast<size_t>(prompt.samples));
    GenerationRequest request{.prompt = prompt.tokens,
                              .sampling = {.temperature = options.temperature, .seed = prompt.seed},
                              .max_tokens = options_.max_tokens,
                              .choices = prompt.samples,
                              .sampled_log_probability = options.temperature > 0.0f};
    const Submitted submitted =
        engine_->submit(std::move(request), std::make_shared<Collector>(tally, answers[i]));
    if (submitted.error == SubmitError::kNone) continue;
    refused = submitted.why;
    const std::lock_guard lock(tally.mutex);
    for (size_t rest = i; rest < prompts.size(); ++rest) tally.open -= prompts[rest].samples;
    break;
  }
  std::unique_lock lock(tally.mutex);
  int64_t done = 0;
  while (tally.open > 0) {
    tally.changed.wait(lock, [&] { return tally.open == 0 || tally.done > done; });
    done = tally.done;
    lock.unlock();
    if (options.progress) options.progress(done, tally.total);
    lock.lock();
  }
  if (refused) return Failure{std::move(*refused)};
  if (tally.error) return Failure{std::move(*tally.error)};
  if (tally.stopping()) return Failure{{.what = "stopped"}};
  return answers;
}

}  // namespace ponder
