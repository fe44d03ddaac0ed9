// Many sequences at once give what each gives alone, whatever the engine does with its cache.
#include "engine/engine.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <condition_variable>
#include <fstream>
#include <future>
#include <map>
#include <mutex>

#include "base/file.hpp"
#include "base/rng.hpp"
#include "engine/work.hpp"
#include "model/model_testing.hpp"
#include "ops/xent/xent.hpp"
#include "testing/temp_folder.hpp"

namespace ponder::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Keeps all events of a request.
class Collector : public GenerationSink {
 public:
  void on_prompt(std::span<const TokenEvent> events) override {
    for (const TokenEvent& event : events) prompt.push_back(event.log_probability);
  }
  bool on_token(const TokenEvent& event) override {
    const std::lock_guard lock(mutex_);
    tokens[event.choice].push_back(event.token);
    if (!std::isnan(event.log_probability)) logs.push_back(event.log_probability);
    for (const LikelyToken& token : event.likely) likely.push_back(token);
    changed_.notify_all();
    return keep_on ? keep_on(event) : true;
  }
  void on_finish(const FinishEvent& event) override {
    const std::lock_guard lock(mutex_);
    ends[event.choice] = event;
    if (finished) finished();
    changed_.notify_all();
  }
  void on_error(const Error& error) override {
    const std::lock_guard lock(mutex_);
    errors.push_back(error.message());
    changed_.notify_all();
  }
  void wait(size_t choices = 1) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ends.size() == choices || !errors.empty(); });
  }
  void wait_for_tokens(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return tokens[0].size() >= count || !ends.empty(); });
  }

  std::map<int, std::vector<int32_t>> tokens;
  std::map<int, FinishEvent> ends;
  std::vector<std::string> errors;
  std::vector<float> prompt, logs;
  std::vector<LikelyToken> likely;
  std::function<bool(const TokenEvent&)> keep_on;
  std::function<void()> finished;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class EngineTest : public ::testing::TestWithParam<const char*> {
 protected:
  EngineTest()
      : runtime_(make_runtime(available_isas().back(), Activations::kInt8)),
        model_(load_model(
            GetParam(), runtime_.context(),
            {.load_mtp = std::string_view(GetParam()).find("mtp") != std::string_view::npos})) {}

  std::unique_ptr<Engine> open(EngineOptions options = {}) {
    options.context = std::min<int64_t>(model_.config().context, 400);
    auto engine = Engine::create(runtime_.context(), model_, options);
    if (!engine.ok()) ADD_FAILURE() << engine.error().message();
    return std::move(engine).take_value();
  }
  // Token ids drawn from the seed; with `common` first ones that all prompts have.
  std::vector<int32_t> prompt(int64_t length, uint64_t seed, int64_t common = 0) const {
    const auto vocab = static_cast<uint64_t>(model_.config().vocab);
    std::vector<int32_t> tokens;
    Rng shared(7), own(seed + 100);
    for (int64_t i = 0; i < length; ++i)
      tokens.push_back(static_cast<int32_t>((i < common ? shared : own).next_below(vocab)));
    return tokens;
  }
  // What a session on its own generates.
  std::vector<int32_t> alone(const GenerationRequest& request, int choice = 0) {
    auto session = Session::create(runtime_.context(), model_, {.context = 400});
    EXPECT_TRUE(session.ok());
    EXPECT_TRUE(session.value().prefill(request.prompt).ok());
    SamplingOptions sampling = request.sampling;
    sampling.seed += static_cast<uint64_t>(choice);
    auto result = session.value().generate({.sampling = sampling,
                                            .max_tokens = request.max_tokens,
                                            .is_end = request.is_end,
                                            .on_token = {}});
    EXPECT_TRUE(result.ok());
    return result.value().tokens;
  }
  std::vector<GenerationRequest> mixed_requests(int64_t count) const {
    std::vector<GenerationRequest> requests;
    for (int64_t i = 0; i < count; ++i) {
      GenerationRequest request;
      request.prompt = prompt(20 + i * 13 % 150, static_cast<uint64_t>(i), i % 3 == 0 ? 130 : 9);
      request.max_tokens = 10 + i * 7 % 60;
      request.sampling.temperature = i % 2 == 0 ? 0.0f : 0.9f;
      request.sampling.seed = static_cast<uint64_t>(i);
      if (i % 5 == 4) request.sampling.repeat_penalty = 1.3f;
      request.priority = static_cast<int>(i % 2);
      request.client = std::to_string(i % 3);
      requests.push_back(std::move(request));
    }
    return requests;
  }
  // All at once, `rounds` times; each answer must be what it is alone.
  EngineStats expect_same(const EngineOptions& options, int64_t count, int rounds = 1) {
    const auto engine = open(options);
    const auto requests = mixed_requests(count);
    std::vector<std::vector<int32_t>>
        expected;  // now: threads and temporaries are the engine's later
    for (const GenerationRequest& request : requests) expected.push_back(alone(request));
    for (int round = 0; round < rounds; ++round) {
      std::vector<std::shared_ptr<Collector>> sinks;
      for (const GenerationRequest& request : requests) {
        sinks.push_back(std::make_shared<Collector>());
        EXPECT_NE(engine->submit(request, sinks.back()).id, 0u);
      }
      for (size_t i = 0; i < requests.size(); ++i) {
        sinks[i]->wait();
        EXPECT_THAT(sinks[i]->errors, ElementsAre());
        EXPECT_EQ(sinks[i]->tokens[0], expected[i]) << "request " << i;
        EXPECT_EQ(sinks[i]->ends[0].reason, FinishReason::kLength);
      }
    }
    return engine->stats();  // what is over is counted
  }
  Runtime runtime_;
  Model model_;
};

INSTANTIATE_TEST_SUITE_P(Models, EngineTest,
                         ::testing::Values("qwen2-s1", "deepseek_v3-s1", "llama3-s1"));

TEST_P(EngineTest, ABatchGivesWhatEachGivesAlone) {
  const EngineStats stats = expect_same({}, 16);
  EXPECT_EQ(stats.pages_used, 0);
  EXPECT_EQ(stats.preempted, 0u);
  EXPECT_GT(stats.cached_tokens, 0u) << "some prompts begin alike";
}

TEST_P(EngineTest, CachedPrefixesChangeNothing) {
  const EngineStats stats = expect_same({.parallel = 5}, 9, 3);
  EXPECT_GT(stats.cached_tokens, stats.prompt_tokens);
}

TEST_P(EngineTest, WithoutSharingNothingIsCached) {
  EXPECT_EQ(expect_same({.share_prefixes = false}, 8).cached_tokens, 0u);
}

TEST_P(EngineTest, ATightCacheOnlyTakesLonger) {
  const uint64_t page =
      KvPool::page_bytes(model_.config(), DType::kF16) +
      (model_.has_mtp() ? KvPool::page_bytes(model_.config(), DType::kF16, 1) : 0);
  const EngineStats stats = expect_same({.cache_bytes = 8 * page, .step_tokens = 64}, 12, 2);
  EXPECT_EQ(stats.pages, 8);
  EXPECT_GT(stats.evicted_pages, 0u);
  EXPECT_GT(stats.preempted, 0u);
  EXPECT_EQ(stats.pages_used, 0);
}

TEST_P(EngineTest, SpeculationChangesNothing) {
  EXPECT_GT(expect_same({.speculation = Speculation::kLookup}, 12).drafted_tokens, 0u);
  if (!model_.has_mtp()) return;
  EXPECT_GT(expect_same({.parallel = 4, .speculation = Speculation::kMtp}, 12, 2).drafted_tokens,
            0u);
}

TEST_P(EngineTest, SmallStepsChangeNothing) {
  expect_same({.parallel = 3, .step_tokens = 7, .busy_prompt_tokens = 3}, 6);
}

TEST_P(EngineTest, ChoicesDrawWithSeedsOfTheirOwn) {
  const auto engine = open();
  GenerationRequest request;
  request.prompt = prompt(100, 1);
  request.max_tokens = 12;
  request.choices = 3;
  request.sampling.temperature = 1.0f;
  request.sampling.seed = 5;
  const auto sink = std::make_shared<Collector>();
  ASSERT_NE(engine->submit(request, sink).id, 0u);
  sink->wait(3);
  for (int c = 0; c < 3; ++c) EXPECT_EQ(sink->tokens[c], alone(request, c));
  EXPECT_EQ(sink->ends[1].cached_tokens, 99) << "the prompt is computed once";
}

TEST_P(EngineTest, EndsWhereItIsTold) {
  const auto engine = open();
  GenerationRequest request;
  request.prompt = prompt(30, 2);
  request.max_tokens = 20;
  const auto all = alone(request);
  request.is_end = [&](int32_t id) { return id == all[7]; };
  auto sink = std::make_shared<Collector>();
  engine->submit(request, sink);
  sink->wait();
  EXPECT_EQ(sink->tokens[0], alone(request));
  EXPECT_EQ(sink->ends[0].reason, FinishReason::kStop);

  request.is_end = {};
  sink = std::make_shared<Collector>();
  sink->keep_on = [left = 3](const TokenEvent&) mutable { return --left > 0; };
  engine->submit(request, sink);
  sink->wait();
  EXPECT_EQ(sink->tokens[0], std::vector<int32_t>(all.begin(), all.begin() + 3));
  EXPECT_EQ(sink->ends[0].reason, FinishReason::kStop);
  EXPECT_EQ(sink->ends[0].generated_tokens, 3);

  request.max_tokens = -1;
  sink = std::make_shared<Collector>();
  engine->submit(request, sink);
  sink->wait();
  EXPECT_EQ(sink->ends[0].reason, FinishReason::kContextFull);
  EXPECT_EQ(std::ssize(sink->tokens[0]), engine->options().context - 30 + 1);
}

TEST_P(EngineTest, CancellingFreesTheCache) {
  const auto engine = open();
  GenerationRequest request;
  request.prompt = prompt(70, 3);
  request.choices = 2;
  const auto sink = std::make_shared<Collector>();
  const uint64_t id = engine->submit(request, sink).id;
  sink->wait_for_tokens(2);
  engine->cancel(id);
  engine->cancel(id + 77);
  sink->wait(2);
  EXPECT_EQ(sink->ends[0].reason, FinishReason::kCancelled);
  EXPECT_EQ(sink->ends[1].reason, FinishReason::kCancelled);
  const EngineStats stats = engine->stats();
  EXPECT_EQ(stats.pages_used, 0);
  EXPECT_EQ(stats.cancelled, 1u);
}

TEST_P(EngineTest, RefusesWhatItCannotDo) {
  const auto engine = open({.parallel = 1, .queue = 2});
  const auto sink = std::make_shared<Collector>();
  const auto refused = [&](GenerationRequest request) {
    const Submitted submitted = engine->submit(std::move(request), sink);
    EXPECT_EQ(submitted.id, 0u);
    return submitted.error;
  };
  EXPECT_EQ(refused({.prompt = {}}), SubmitError::kInvalid);
  EXPECT_EQ(refused({.prompt = {0, 1 << 30}}), SubmitError::kInvalid);
  EXPECT_EQ(refused({.prompt = {0, -1}}), SubmitError::kInvalid);
  EXPECT_EQ(refused({.prompt = {0}, .choices = 0}), SubmitError::kInvalid);
  EXPECT_EQ(refused({.prompt = prompt(401, 1)}), SubmitError::kTooLong);
  EXPECT_EQ(refused({.prompt = {0}, .choices = 3}), SubmitError::kQueueFull);
  GenerationRequest biased{.prompt = {0}};
  biased.sampling.logit_bias = {{-4, 1.0f}};
  EXPECT_EQ(refused(biased), SubmitError::kInvalid);
}

TEST_P(EngineTest, LogProbabilitiesAreThoseOfTheModel) {
  const auto engine = open();
  GenerationRequest request;
  request.prompt = prompt(75, 4);
  request.max_tokens = 3;
  request.likely = 2;
  request.prompt_log_probabilities = true;
  const auto sink = std::make_shared<Collector>();
  engine->submit(request, sink);
  sink->wait();
  std::vector<int32_t> all = request.prompt;
  all.insert(all.end(), sink->tokens[0].begin(), sink->tokens[0].end());
  const auto logits = run(runtime_.context(), model_, all, {.kv = DType::kF16});
  const auto vocab = static_cast<size_t>(model_.config().vocab);
  const auto row = [&](size_t i) { return std::span(logits).subspan(i * vocab, vocab); };
  ASSERT_EQ(sink->prompt.size(), 75u);
  EXPECT_TRUE(std::isnan(sink->prompt[0]));
  for (size_t i = 1; i < 75; ++i)
    EXPECT_FLOAT_EQ(sink->prompt[i], static_cast<float>(log_probability(row(i - 1), all[i])));
  ASSERT_EQ(sink->logs.size(), 3u);
  ASSERT_EQ(sink->likely.size(), 6u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_FLOAT_EQ(sink->logs[i], static_cast<float>(log_probability(row(74 + i), all[75 + i])));
    EXPECT_EQ(sink->likely[2 * i].token, all[75 + i]) << "greedy";
    EXPECT_GE(sink->likely[2 * i].log_probability, sink->likely[2 * i + 1].log_probability);
  }
}

TEST_P(EngineTest, ReadsAPromptWithoutAnswering) {
  const auto engine = open();
  GenerationRequest request{.prompt = prompt(9, 1), .max_tokens = 0};
  request.prompt_log_probabilities = true;
  const auto sink = std::make_shared<Collector>();
  engine->submit(request, sink);
  sink->wait();
  EXPECT_EQ(sink->prompt.size(), 9u);
  EXPECT_TRUE(sink->tokens[0].empty());
  EXPECT_EQ(sink->ends[0].reason, FinishReason::kLength);
}

TEST_P(EngineTest, EmbeddingsAreHiddenStatesOfLengthOne) {
  const auto engine = open({.step_tokens = 16});
  const auto tokens = prompt(40, 6);
  const auto width = static_cast<size_t>(model_.config().hidden);
  std::vector<float> hidden(40 * width);
  run(runtime_.context(), model_, tokens, {.kv = DType::kF16, .hidden = hidden.data()});
  for (const Pooling pooling : {Pooling::kLast, Pooling::kMean, Pooling::kLast}) {
    std::promise<std::vector<float>> promise;
    engine->submit(EmbeddingRequest{.tokens = tokens, .pooling = pooling},
                   [&](Result<std::vector<float>> result) {
                     promise.set_value(std::move(result).take_value());
                   });
    const std::vector<float> vector = promise.get_future().get();
    std::vector<double> expected(width);
    for (size_t row = pooling == Pooling::kLast ? 39 : 0; row < 40; ++row)
      for (size_t i = 0; i < width; ++i)
        expected[i] += static_cast<double>(hidden[row * width + i]);
    double square = 0.0;
    for (const double x : expected) square += x * x;
    for (size_t i = 0; i < width; ++i)
      ASSERT_FLOAT_EQ(vector[i], static_cast<float>(expected[i] / std::sqrt(square)));
  }
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST(MaskLogits, LeavesWhatIsAllowed) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  for (const size_t vocab : {1u, 63u, 64u, 65u, 128u, 300u}) {
    for (uint64_t round = 0; round < 64; ++round) {
      const size_t words = (vocab + 63) / 64;
      std::vector<uint64_t> allowed(words);
      Rng rng(7 * vocab + round);
      for (size_t i = 0; i < words; ++i) {
        const uint64_t kind = rng.next_below(4);
        allowed[i] = kind == 0 ? 0 : kind == 1 ? ~uint64_t{0} : rng.next_u64();
      }
      allowed[0] |= 1;
      std::vector<float> logits(vocab), expected(vocab);
      bool any = false;
      for (size_t i = 0; i < vocab; ++i) {
        logits[i] = round % 8 == 0 ? kNever : static_cast<float>(i) - 50.0f;
        const bool may = (allowed[i / 64] >> (i % 64) & 1) != 0;
        expected[i] = may ? logits[i] : kNever;
        any = any || expected[i] > kNever;
      }
      if (!any) expected[0] = 0.0f;
      mask_logits(logits, allowed);
      ASSERT_EQ(logits, expected) << vocab << " tokens, round " << round;
    }
  }
}

// Only even tokens, after 3, 1 that are forced; ends by itself after six tokens.
class EvenGuide : public TokenGuide {
 public:
  explicit EvenGuide(int64_t vocab) : bits_(static_cast<size_t>(vocab + 63) / 64) {
    for (uint64_t& word : bits_) word = 0x5555555555555555u;
  }
  std::optional<int32_t> forced() override {
    return accepted.size() < 2 ? std::optional(accepted.empty() ? 3 : 1) : std::nullopt;
  }
  std::span<const uint64_t> allowed() override { return bits_; }
  void accept(int32_t token) override { accepted.push_back(token); }
  bool finished() const override { return accepted.size() == 6; }

  std::vector<int32_t> accepted;

 private:
  std::vector<uint64_t> bits_;
};

TEST_P(EngineTest, GuidesForceAndForbid) {
  const auto engine = open({.speculation = Speculation::kLookup});
  GenerationRequest request;
  request.prompt = prompt(30, 2);
  request.sampling.temperature = 1.0f;
  request.make_guide = [&] { return std::make_unique<EvenGuide>(model_.config().vocab); };
  const auto sink = std::make_shared<Collector>();
  engine->submit(request, sink);
  sink->wait();
  const auto& tokens = sink->tokens[0];
  ASSERT_EQ(tokens.size(), 6u);
  EXPECT_THAT(std::span(tokens).first(2), ElementsAre(3, 1));
  for (size_t i = 2; i < 6; ++i) EXPECT_EQ(tokens[i] % 2, 0);
  EXPECT_EQ(sink->ends[0].reason, FinishReason::kStop);
}

TEST_P(EngineTest, PrioritiesAndClientsTakeTurns) {
  const auto engine = open({.parallel = 1});
  std::vector<std::string> order;  // written by the engine's thread only, until all are done
  std::vector<std::shared_ptr<Collector>> sinks;
  const auto submit = [&](const std::string& client, int priority) {
    sinks.push_back(std::make_shared<Collector>());
    sinks.back()->finished = [&order, client] { order.push_back(client); };
    GenerationRequest request{.prompt = prompt(20, 1), .max_tokens = 30};
    request.client = client;
    request.priority = priority;
    engine->submit(request, sinks.back());
  };
  submit("first", 0);
  sinks[0]->wait_for_tokens(1);
  for (int i = 0; i < 4; ++i) submit("many", 0);
  submit("few", 0);
  submit("urgent", 1);
  for (const auto& sink : sinks) sink->wait();
  EXPECT_THAT(order, ElementsAre("first", "urgent", "many", "few", "many", "many", "many"));
}

TEST_P(EngineTest, ASavedPrefixIsFoundAfterARestart) {
  const TempFolder folder;
  const auto file = folder.path() / "prefix.kv";
  GenerationRequest request{.prompt = prompt(150, 8), .max_tokens = 10};
  const auto expected = alone(request);
  {
    const auto engine = open();
    EXPECT_FALSE(engine->save_prefix(request.prompt, file).ok()) << "it has not seen it yet";
    const auto sink = std::make_shared<Collector>();
    engine->submit(request, sink);
    sink->wait();
    const auto saved = engine->save_prefix(request.prompt, file);
    ASSERT_TRUE(saved.ok()) << saved.error().message();
    EXPECT_EQ(saved.value(), 150);
  }
  const auto engine = open();
  ASSERT_TRUE(engine->load_prefix(file).ok());
  const auto sink = std::make_shared<Collector>();
  engine->submit(request, sink);
  sink->wait();
  EXPECT_EQ(sink->ends[0].cached_tokens, 149);
  EXPECT_EQ(sink->tokens[0], expected);

  // Damage is noticed wherever it is.
  const std::string good = std::move(read_file(file, 1 << 30)).take_value();
  const auto refused = [&](const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
    const auto loaded = engine->load_prefix(file);
    return !loaded.ok() && loaded.error().where == file.string();
  };
  for (size_t i = 0; i < good.size(); i += i < 800 ? 1 : 9973) {
    EXPECT_TRUE(refused(good.substr(0, i))) << i;
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_TRUE(refused(bad)) << i;
  }
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST_P(EngineTest, EndsWithWorkUnderWay) {
  auto engine = open();
  std::vector<std::shared_ptr<Collector>> sinks;
  for (uint64_t i = 0; i < 5; ++i) {
    sinks.push_back(std::make_shared<Collector>());
    engine->submit({.prompt = prompt(100, i)}, sinks.back());
  }
  engine.reset();
  for (const auto& sink : sinks) EXPECT_EQ(sink->ends[0].reason, FinishReason::kCancelled);
}

TEST(EngineOptionsTest, RefusesWhatCannotWork) {
  const Runtime runtime = make_runtime(Isa::kRef);
  const Model model = load_model("qwen2-s1", runtime.context());
  const auto refused = [&](const EngineOptions& options) {
    const auto engine = Engine::create(runtime.context(), model, options);
    return engine.ok() ? "" : engine.error().message();
  };
  EXPECT_THAT(refused({.context = 1 << 30}), HasSubstr("context"));
  EXPECT_THAT(refused({.context = 100, .cache_bytes = 1000}), HasSubstr("MiB"));
  EXPECT_THAT(refused({.context = 100, .speculation = Speculation::kMtp}),
              HasSubstr("multi-token-prediction"));
}

// What training relies on: the log-probabilities are those of ops/xent for the logits that one
// forward pass over the whole answer gives, after temperature, to the last bit.
TEST_P(EngineTest, SampledLogProbabilitiesAreThoseOfTraining) {
  constexpr float kTemperature = 0.7f;
  const auto engine = open({.kv_dtype = DType::kF32});
  GenerationRequest request{.prompt = prompt(70, 3),
                            .sampling = {.temperature = kTemperature, .seed = 5},
                            .max_tokens = 12,
                            .choices = 3,
                            .sampled_log_probability = true};
  auto sink = std::make_shared<Collector>();
  std::map<int, std::vector<float>> found;
  sink->keep_on = [&](const TokenEvent& event) {
    found[event.choice].push_back(event.log_probability);
    return true;
  };
  ASSERT_NE(engine->submit(request, sink).id, 0u);
  sink->wait(3);
  const auto vocab = static_cast<size_t>(model_.config().vocab);
  for (const auto& [choice, tokens] : sink->tokens) {
    std::vector<int32_t> all = request.prompt;
    all.insert(all.end(), tokens.begin(), tokens.end());
    const std::vector<float> logits = run(runtime_.context(), model_, all);
    for (size_t i = 0; i < tokens.size(); ++i) {
      const std::span row(logits.data() + (request.prompt.size() + i - 1) * vocab, vocab);
      float expected = 0.0f;
      xent(runtime_.context(), {.logits = row.data(),
                                .targets = &tokens[i],
                                .rows = 1,
                                .vocabulary = model_.config().vocab,
                                .temperature = kTemperature,
                                .log_probability = &expected});
      EXPECT_EQ(found[choice][i], expected) << choice << " " << i;
    }
  }
  EXPECT_NE(sink->tokens[0], sink->tokens[1]);
}

TEST_P(EngineTest, ForgottenPrefixesAreComputedAgain) {
  const auto engine = open();
  GenerationRequest request{.prompt = prompt(150, 4), .max_tokens = 5};
  const auto cached = [&] {
    auto sink = std::make_shared<Collector>();
    EXPECT_NE(engine->submit(request, sink).id, 0u);
    sink->wait();
    return sink->ends[0].cached_tokens;
  };
  EXPECT_EQ(cached(), 0);
  EXPECT_GT(cached(), 0);
  engine->forget_prefixes();
  EXPECT_EQ(engine->stats().pages_used, 0);
  EXPECT_EQ(cached(), 0);
  engine->forget_prefixes();
  engine->forget_prefixes();
}

}  // namespace
}  // namespace ponder::testing
