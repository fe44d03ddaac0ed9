#include <gmock/gmock.h>

#include <cmath>

#include "engine/generate.hpp"
#include "engine/perplexity.hpp"
#include "ops/runtime.hpp"
#include "testing/golden.hpp"

namespace ponder::testing {
namespace {

using ::testing::HasSubstr;

const std::string kModels = "tests/golden/model/";

// A small model with its reference: 24 greedy tokens after a prompt of 40.
class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    auto runtime = Runtime::create({.threads = 2, .activations = Activations::kFloat});
    EXPECT_TRUE(runtime.ok());
    runtime_.emplace(std::move(runtime).take_value());
    auto model = Model::open(kModels + "deepseek_v3-s1", runtime_->context());
    EXPECT_TRUE(model.ok());
    model_.emplace(std::move(model).take_value());
    const auto golden = load_golden(kModels + "deepseek_v3-s1/expected.safetensors");
    prompt_ = golden.at("tokens").values<int32_t>();
    greedy_ = golden.at("greedy_tokens").values<int32_t>();
    logits_ = golden.at("logits").values<float>();
  }
  Session session(int64_t context = 128, int64_t chunk = 16) {
    auto made =
        Session::create(runtime_->context(), *model_,
                        {.context = context, .kv_dtype = DType::kF32, .prompt_chunk = chunk});
    EXPECT_TRUE(made.ok());
    return std::move(made).take_value();
  }
  GenerateResult generate(Session& session, const GenerateOptions& options) {
    auto result = session.generate(options);
    EXPECT_TRUE(result.ok());
    return std::move(result).take_value();
  }

  std::optional<Runtime> runtime_;
  std::optional<Model> model_;
  std::vector<int32_t> prompt_, greedy_;
  std::vector<float> logits_;  // (40, V)
};

TEST_F(SessionTest, ContinuesAsTheReference) {
  Session s = session();
  const auto read = s.prefill(prompt_);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().tokens, 40);
  EXPECT_EQ(read.value().reused, 0);
  std::vector<int32_t> seen;
  const auto result = generate(s, {.max_tokens = 24, .on_token = [&](int32_t id) {
                                     seen.push_back(id);
                                     return true;
                                   }});
  EXPECT_EQ(result.tokens, greedy_);
  EXPECT_EQ(seen, greedy_);
  EXPECT_EQ(result.reason, FinishReason::kLength);
  EXPECT_EQ(s.tokens().size(), 64u);
}

TEST_F(SessionTest, EndsWhereItIsTold) {
  Session s = session();
  ASSERT_TRUE(s.prefill(prompt_).ok());
  const int32_t end = greedy_[5];
  const auto first = std::find(greedy_.begin(), greedy_.end(), end);
  const auto stopped =
      generate(s, {.max_tokens = 24, .is_end = [&](int32_t id) { return id == end; }});
  EXPECT_EQ(stopped.reason, FinishReason::kStop);
  EXPECT_EQ(stopped.tokens, std::vector<int32_t>(greedy_.begin(), first));

  ASSERT_TRUE(s.prefill(prompt_).ok());
  int left = 3;
  const auto cancelled = generate(s, {.on_token = [&](int32_t) { return --left > 0; }});
  EXPECT_EQ(cancelled.reason, FinishReason::kCancelled);
  EXPECT_EQ(cancelled.tokens.size(), 3u);

  std::atomic<bool> stop{true};
  EXPECT_EQ(generate(s, {.stop = &stop}).reason, FinishReason::kCancelled);
}

TEST_F(SessionTest, FullContextIsAReasonNotAnError) {
  Session s = session(45);
  ASSERT_TRUE(s.prefill(prompt_).ok());
  const auto result = generate(s, {});
  EXPECT_EQ(result.reason, FinishReason::kContextFull);
  // 45 positions: 40 of the prompt, 5 that were fed back, and the one chosen after them.
  EXPECT_EQ(result.tokens, std::vector<int32_t>(greedy_.begin(), greedy_.begin() + 6));
  EXPECT_TRUE(s.full());
  const auto more = s.next({});
  ASSERT_FALSE(more.ok());
  EXPECT_THAT(more.error().message(), HasSubstr("full"));
}

TEST_F(SessionTest, ReusesTheCommonPrefix) {
  Session s = session();
  ASSERT_TRUE(s.prefill(prompt_).ok());
  generate(s, {.max_tokens = 4});
  // The prompt, the answer as the cache has it (its last token was never fed), and a new turn.
  std::vector<int32_t> turn = prompt_;
  turn.insert(turn.end(), greedy_.begin(), greedy_.begin() + 4);
  turn.insert(turn.end(), {7, 8, 9});
  const auto read = s.prefill(turn);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().reused, 43);
  const std::vector<float> reused(s.logits().begin(), s.logits().end());
  Session fresh = session(128, 1000);
  ASSERT_TRUE(fresh.prefill(turn).ok());
  EXPECT_EQ(reused, std::vector<float>(fresh.logits().begin(), fresh.logits().end()));
  // The same again: only the last token is computed.
  EXPECT_EQ(s.prefill(turn).value().reused, 46);
  EXPECT_EQ(reused, std::vector<float>(s.logits().begin(), s.logits().end()));
  // A change in the middle, then something shorter.
  turn[10] ^= 1;
  EXPECT_EQ(s.prefill(turn).value().reused, 10);
  EXPECT_EQ(s.prefill(std::span(turn).first(5)).value().reused, 4);
}

TEST_F(SessionTest, SamplingRepeatsWithItsSeed) {
  Session s = session();
  const auto sampled = [&](uint64_t seed) {
    EXPECT_TRUE(s.prefill(prompt_).ok());
    return generate(s, {.sampling = {.temperature = 1.5f, .seed = seed}, .max_tokens = 30}).tokens;
  };
  const auto first = sampled(1);
  EXPECT_EQ(first, sampled(1));
  EXPECT_NE(first, sampled(2));
}

TEST_F(SessionTest, PrefillStopsAndGoesOn) {
  Session s = session();
  int calls = 0;
  const auto stopped =
      s.prefill(prompt_, {.progress = [&](const ProgressReport&) { return ++calls < 3; }});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().what, "stopped");
  const auto read = s.prefill(prompt_);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().reused, 32);
  EXPECT_EQ(generate(s, {.max_tokens = 24}).tokens, greedy_);
}

TEST_F(SessionTest, RejectsImpossiblePrompts) {
  Session s = session(32);
  EXPECT_THAT(s.next({}).error().message(), HasSubstr("prompt"));
  EXPECT_THAT(s.prefill({}).error().message(), HasSubstr("no tokens"));
  EXPECT_THAT(s.prefill(prompt_).error().message(), HasSubstr("40 tokens"));
  EXPECT_THAT(s.prefill(std::vector<int32_t>{1, 5000}).error().message(), HasSubstr("vocabulary"));
  EXPECT_TRUE(s.prefill(std::span(prompt_).first(32)).ok());
  for (const int64_t context : {int64_t{0}, int64_t{-1}, int64_t{1} << 40})
    EXPECT_FALSE(Session::create(runtime_->context(), *model_, {.context = context}).ok());
}

TEST_F(SessionTest, PerplexityIsThatOfTheReferenceLogits) {
  double nll = 0;
  for (size_t t = 0; t + 1 < prompt_.size(); ++t)
    nll -= log_probability(std::span<const float>(logits_).subspan(t * 256, 256), prompt_[t + 1]);
  const auto result = perplexity(runtime_->context(), *model_, prompt_, {.kv_dtype = DType::kF32});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.value().count, 39);
  EXPECT_NEAR(result.value().mean_nll, nll / 39, 1e-4);
  EXPECT_NEAR(result.value().perplexity, std::exp(nll / 39), 1e-4 * std::exp(nll / 39));
}

TEST_F(SessionTest, PerplexityTakesWholePieces) {
  std::vector<int32_t> text;
  for (int i = 0; i < 5; ++i) text.insert(text.end(), prompt_.begin(), prompt_.end());
  text.resize(199);
  const auto pieces = perplexity(runtime_->context(), *model_, text, {.context = 40});
  const auto one = perplexity(runtime_->context(), *model_, prompt_, {.context = 40});
  ASSERT_TRUE(pieces.ok() && one.ok());
  EXPECT_EQ(pieces.value().count, 4 * 39);
  EXPECT_NEAR(pieces.value().mean_nll, one.value().mean_nll, 1e-12);
  const auto long_piece = perplexity(runtime_->context(), *model_, text, {.context = 150});
  ASSERT_TRUE(long_piece.ok());
  EXPECT_EQ(long_piece.value().count, 149);
  EXPECT_FALSE(perplexity(runtime_->context(), *model_, std::span(text).first(1)).ok());
}

}  // namespace
}  // namespace ponder::testing
