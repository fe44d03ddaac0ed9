#include "engine/speed.hpp"

#include <chrono>

#include "base/rng.hpp"
#include "model/forward.hpp"
#include "ops/sample/sample.hpp"

namespace ponder {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kSeed = 1;

// The sequences of one test. V: vocabulary.
class Runner {
 public:
  static Result<Runner> create(const Context& context, const Model& model, const SpeedTest& test,
                               const SpeedOptions& options) {
    Runner runner(context, model, test, options);
    for (int64_t i = 0; i < runner.sequences(); ++i) {
      runner.caches_.push_back(PONDER_TRY(KvCache::create(
          model.config(), {.capacity = test.positions(), .dtype = options.kv_dtype})));
      Rng rng(kSeed, static_cast<uint64_t>(i));
      std::vector<int32_t> tokens(static_cast<size_t>(test.positions()));
      for (int32_t& token : tokens)
        token = static_cast<int32_t>(rng.next_below(static_cast<uint64_t>(model.config().vocab)));
      runner.tokens_.push_back(std::move(tokens));
    }
    runner.logits_.resize(static_cast<size_t>(runner.sequences() * model.config().vocab));
    PONDER_TRY(runner.step(context, 0, test.depth, false));
    return runner;
  }

  // Seconds of the test's own tokens.
  Result<double> run(Profile& profile) {
    for (KvCache& cache : caches_) cache.truncate(test_.depth);
    Context context = context_;
    context.profile = &profile;
    const auto start = Clock::now();
    if (test_.prompt > 0) {
      PONDER_TRY(step(context, 0, test_.prompt, true));
    } else {
      for (int64_t i = 0; i < test_.gen; ++i)
        PONDER_TRY(step(context, test_.depth + i, test_.depth + i + 1, true));
    }
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

 private:
  Runner(const Context& context, const Model& model, const SpeedTest& test,
         const SpeedOptions& options)
      : context_(context), model_(model), test_(test), options_(options) {}

  int64_t sequences() const { return test_.prompt > 0 ? 1 : test_.batch; }

  // Tokens [begin, end) of all sequences; then, if asked, the greedy choice of each.
  Result<void> step(const Context& context, int64_t begin, int64_t end, bool choose) {
    if (begin == end) return {};
    const auto vocab = static_cast<size_t>(model_.config().vocab);
    std::vector<SequenceStep> steps;
    for (size_t i = 0; i < caches_.size(); ++i)
      steps.push_back(
          {.cache = &caches_[i],
           .tokens = std::span(tokens_[i])
                         .subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)),
           .logit_rows = choose ? 1 : 0,
           .logits = logits_.data() + i * vocab});
    PONDER_TRY(forward_batch(context, model_, steps, {.stop = options_.stop}));
    for (size_t i = 0; choose && i < caches_.size(); ++i) {
      const ProfileScope scope(context, "sample", [&] {
        return Cost{.activation_bytes = static_cast<int64_t>(vocab * sizeof(float))};
      });
      sample(std::span(logits_).subspan(i * vocab, vocab), {}, {}, 0);
    }
    return {};
  }

  const Context& context_;
  const Model& model_;
  SpeedTest test_;
  const SpeedOptions& options_;
  std::vector<KvCache> caches_;
  std::vector<std::vector<int32_t>> tokens_;
  std::vector<float> logits_;  // (sequences, V)
};

double median_of(const std::vector<double>& sorted) {
  const size_t half = sorted.size() / 2;
  return sorted.size() % 2 != 0 ? sorted[half] : 0.5 * (sorted[half - 1] + sorted[half]);
}

}  // namespace

std::string SpeedTest::name() const {
  return prompt > 0 ? "pp" + std::to_string(prompt) : "tg" + std::to_string(gen);
}

Result<SpeedResult> measure_speed(const Context& context, const Model& model, const SpeedTest& test,
                                  const SpeedOptions& options) {
  PONDER_CHECK((test.prompt > 0) != (test.gen > 0) && test.batch > 0 && test.depth >= 0);
  PONDER_CHECK(test.prompt == 0 || (test.batch == 1 && test.depth == 0));
  PONDER_CHECK(options.repeats > 0);
  Runner runner = PONDER_TRY(Runner::create(context, model, test, options));
  SpeedResult result;
  const auto total = static_cast<uint64_t>(options.repeats) + 1;
  for (uint64_t i = 0; i < total; ++i) {
    if (options.progress && !options.progress({test.name(), i, total, "runs"}))
      return Failure{{.what = "stopped"}};
    Profile warm_up;
    const double seconds = PONDER_TRY(runner.run(i == 0 ? warm_up : result.profile));
    if (i == 0) {
      result.cost = warm_up.cost();
    } else {
      result.seconds.push_back(seconds);
    }
  }
  std::sort(result.seconds.begin(), result.seconds.end());
  result.median = median_of(result.seconds);
  return result;
}

SpeedLimit speed_limit(const Cost& cost, const Roofline& roofline) {
  return {.memory_seconds = static_cast<double>(cost.memory_bytes) / roofline.bytes_per_second,
          .multiply_seconds =
              static_cast<double>(cost.int8_products) / roofline.int8_products_per_second +
              static_cast<double>(cost.float_products) / roofline.float_products_per_second};
}

}  // namespace ponder
