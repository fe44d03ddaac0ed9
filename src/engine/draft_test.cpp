// Speculation changes how many forward passes there are, and nothing else.
#include "engine/draft.hpp"

#include <gmock/gmock.h>

#include <map>

#include "base/rng.hpp"
#include "engine/generate.hpp"
#include "testing/golden.hpp"
#include "testing/isas.hpp"

namespace ponder::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kModels = "tests/golden/model/";

std::vector<int32_t> golden_prompt(const std::string& name) {
  return load_golden(kModels + name + "/expected.safetensors").at("tokens").values<int32_t>();
}

Model open_model(const std::string& name, const Context& context,
                 const ModelOptions& options = {}) {
  auto model = Model::open(kModels + name, context, options);
  if (!model.ok()) ADD_FAILURE() << model.error().message();
  return std::move(model).take_value();
}

Session open(const Context& context, const Model& model, std::unique_ptr<Drafter> drafter,
             const SessionOptions& options = {.context = 128, .prompt_chunk = 16}) {
  auto session = Session::create(context, model, options, std::move(drafter));
  EXPECT_TRUE(session.ok());
  return std::move(session).take_value();
}

GenerateResult generate(Session& session, const GenerateOptions& options) {
  auto result = session.generate(options);
  if (!result.ok()) ADD_FAILURE() << result.error().message();
  return std::move(result).take_value();
}

std::vector<int32_t> guesses(Drafter& drafter, const std::vector<int32_t>& tokens, int64_t most) {
  std::vector<int32_t> out;
  EXPECT_TRUE(drafter.draft(tokens, most, out).ok());
  return out;
}

// ---- parts ----

TEST(DraftLengthTest, GrowsWithSuccessAndPausesAfterFailures) {
  DraftLength length(16);
  EXPECT_EQ(length.next(), 4);
  length.learn(4, 4);
  EXPECT_EQ(length.next(), 8);
  length.learn(8, 8);
  length.learn(16, 16);
  EXPECT_EQ(length.next(), 16);
  length.learn(2, 2);  // there was room for two only
  EXPECT_EQ(length.next(), 16);
  length.learn(16, 5);
  EXPECT_EQ(length.next(), 6);
  length.learn(6, 0);
  EXPECT_EQ(length.next(), 1);
  std::vector<int> gaps;  // calls without a draft between drafts that fail
  for (int i = 0; i < 8; ++i) {
    length.learn(1, 0);
    int gap = 0;
    while (length.next() == 0) ++gap;
    gaps.push_back(gap);
  }
  EXPECT_THAT(gaps, ElementsAre(1, 3, 7, 15, 31, 31, 31, 31));
  length.learn(1, 1);
  EXPECT_EQ(length.next(), 2);
  EXPECT_EQ(DraftLength(1).next(), 1);
}

TEST(LookupDrafter, ContinuesAsTheLongestAgreement) {
  const auto lookup = make_lookup_drafter();
  // 7 1 2 3 was followed by 5, 1 2 3 later by 6.
  EXPECT_THAT(guesses(*lookup, {7, 1, 2, 3, 5, 1, 2, 3, 6, 7, 1, 2, 3}, 2), ElementsAre(5, 1));
  // Of two that agree as long the later one.
  EXPECT_THAT(guesses(*lookup, {7, 1, 2, 3, 5, 8, 1, 2, 3, 6, 9, 1, 2, 3}, 3),
              ElementsAre(6, 9, 1));
  // Two tokens are not enough.
  EXPECT_THAT(guesses(*lookup, {1, 2, 3, 4, 9, 2, 3}, 4), IsEmpty());
  EXPECT_THAT(guesses(*lookup, {1, 2, 3}, 4), IsEmpty());
  EXPECT_THAT(guesses(*lookup, {1}, 4), IsEmpty());
  // A repetition repeats, also beyond what is there.
  EXPECT_THAT(guesses(*lookup, {1, 2, 1, 2, 1}, 5), ElementsAre(2, 1, 2, 1, 2));
  EXPECT_THAT(guesses(*lookup, {5, 5, 5, 5}, 3), ElementsAre(5, 5, 5));
}

// ---- the same tokens, whatever is guessed ----

// Knows the text; where `right` says no, the guess is another token. Watches over what it observes.
class TestDrafter : public Drafter {
 public:
  using Right = std::function<bool(size_t position)>;
  TestDrafter(std::vector<int32_t> text, int32_t vocab, Right right)
      : text_(std::move(text)), vocab_(vocab), right_(std::move(right)) {}

  Result<void> draft(std::span<const int32_t> tokens, int64_t most,
                     std::vector<int32_t>& out) override {
    EXPECT_EQ(observed_ + 1, std::ssize(tokens));
    for (size_t i = tokens.size(); i < tokens.size() + static_cast<size_t>(most); ++i) {
      const int32_t token = i < text_.size() ? text_[i] : 0;
      out.push_back(right_(i) ? token : (token + 1) % vocab_);
    }
    return {};
  }
  bool wants_hidden() const override { return true; }
  Result<void> observe(std::span<const int32_t> tokens, const float*, int64_t rows) override {
    observed_ += rows;
    EXPECT_LE(observed_, std::ssize(tokens));
    return {};
  }
  int64_t keep(int64_t length) override {
    EXPECT_LE(length, observed_);
    return observed_ = length;
  }

 private:
  int64_t observed_ = 0;
  std::vector<int32_t> text_;
  int32_t vocab_;
  Right right_;
};

const std::map<std::string, TestDrafter::Right> kDrafters = {
    {"right", [](size_t) { return true; }},
    {"wrong", [](size_t) { return false; }},
    {"mixed", [](size_t i) { return Rng(1, 2, i).next_below(4) != 0; }}};

// Greedy, and sampled with everything that looks at the history.
std::vector<SamplingOptions> samplings(uint64_t seeds) {
  // The third makes the tokens repeat, so that lookup finds them.
  std::vector<SamplingOptions> list = {{},
                                       {.repeat_penalty = 1.3f, .penalty_window = 7},
                                       {.temperature = 0.5f, .presence_penalty = -9.0f}};
  for (uint64_t seed = 0; seed < seeds; ++seed)
    list.push_back({.temperature = 0.4f + 0.3f * static_cast<float>(seed % 4),
                    .top_k = seed % 3 == 0 ? 20 : 0,
                    .top_p = 0.95f,
                    .repeat_penalty = seed % 2 == 0 ? 1.1f : 0.9f,
                    .presence_penalty = 0.2f,
                    .frequency_penalty = 0.3f,
                    .penalty_window = seed % 2 == 0 ? 0 : 9,
                    .seed = seed});
  return list;
}

class Speculate : public ::testing::TestWithParam<Isa> {
 protected:
  Speculate() : runtime_(make_runtime(GetParam(), 1)) {}
  const Context& context() const { return runtime_.context(); }
  std::unique_ptr<Drafter> drafter(Speculation kind, const Model& model) const {
    auto made = make_drafter(context(), model, {.speculation = kind, .context = 128});
    EXPECT_TRUE(made.ok());
    return std::move(made).take_value();
  }
  std::vector<int32_t> text_of(Session& session) const {
    return {session.tokens().begin(), session.tokens().end()};
  }

  Runtime runtime_;
};

TEST_P(Speculate, TokensStayTheSameInEveryModel) {
  DraftCounts looked_up;
  for (const std::string name : {"llama3-s1", "qwen2-s1", "qwen3-s1", "deepseek_v2-s1",
                                 "deepseek_v2_full-s1", "deepseek_v3-s1", "deepseek_v3_fp8-s1"}) {
    const Model model = open_model(name, context());
    const auto prompt = golden_prompt(name);
    const auto vocab = static_cast<int32_t>(model.config().vocab);
    Session plain = open(context(), model, nullptr);
    Session lookup = open(context(), model, drafter(Speculation::kLookup, model));
    for (const SamplingOptions& sampling : samplings(GetParam() == Isa::kRef ? 3 : 12)) {
      const GenerateOptions options{.sampling = sampling, .max_tokens = 32};
      ASSERT_TRUE(plain.prefill(prompt).ok() && lookup.prefill(prompt).ok());
      const auto expected = generate(plain, options).tokens;
      const auto text = text_of(plain);
      const auto seen = generate(lookup, options);
      EXPECT_EQ(seen.tokens, expected) << name << ", seed " << sampling.seed;
      looked_up.drafted += seen.drafts.drafted;
      looked_up.accepted += seen.drafts.accepted;
      for (const auto& [kind, right] : kDrafters) {
        Session guessed = open(context(), model, std::make_unique<TestDrafter>(text, vocab, right));
        ASSERT_TRUE(guessed.prefill(prompt).ok());
        EXPECT_EQ(generate(guessed, options).tokens, expected) << name << ", " << kind;
      }
    }
  }
  EXPECT_GT(looked_up.accepted, 0);
  EXPECT_GT(looked_up.drafted, looked_up.accepted);
}

TEST_P(Speculate, TokensStayTheSameWithMtp) {
  const Model model = open_model("deepseek_v3-s1", context(), {.load_mtp = true});
  const auto prompt = golden_prompt("deepseek_v3-s1");
  Session plain = open(context(), model, nullptr);
  Session mtp = open(context(), model, drafter(Speculation::kMtp, model));
  EXPECT_GT(mtp.cache_bytes(), plain.cache_bytes());
  int64_t drafted = 0;
  for (const SamplingOptions& sampling : samplings(16)) {
    const GenerateOptions options{.sampling = sampling, .max_tokens = 40};
    ASSERT_TRUE(plain.prefill(prompt).ok() && mtp.prefill(prompt).ok());
    const auto expected = generate(plain, options).tokens;
    const auto seen = generate(mtp, options);
    EXPECT_EQ(seen.tokens, expected) << sampling.seed;
    drafted += seen.drafts.drafted;
  }
  EXPECT_GT(drafted, 0);
}

INSTANTIATE_TEST_SUITE_P(AllIsas, Speculate, ::testing::ValuesIn(available_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

// ---- edges, on one instruction set ----

class Drafting : public ::testing::Test {
 protected:
  Drafting()
      : runtime_(make_runtime(available_isas().back(), 1)),
        model_(open_model("deepseek_v3-s1", runtime_.context(), {.load_mtp = true})),
        prompt_(golden_prompt("deepseek_v3-s1")) {
    Session plain = session(nullptr);
    EXPECT_TRUE(plain.prefill(prompt_).ok());
    expected_ = generate(plain, {.sampling = kSampling}).tokens;  // until the context is full
    text_.assign(plain.tokens().begin(), plain.tokens().end());
  }

  Session session(std::unique_ptr<Drafter> drafter, int64_t context = 128, int64_t draft = 8) {
    return open(runtime_.context(), model_, std::move(drafter),
                {.context = context, .prompt_chunk = 16, .draft = draft});
  }
  std::unique_ptr<Drafter> guessing(const std::string& kind) const {
    return std::make_unique<TestDrafter>(text_, static_cast<int32_t>(model_.config().vocab),
                                         kDrafters.at(kind));
  }
  std::vector<int32_t> first(size_t count) const {
    return {expected_.begin(), expected_.begin() + static_cast<ptrdiff_t>(count)};
  }

  static constexpr SamplingOptions kSampling = {
      .temperature = 0.8f, .frequency_penalty = 0.2f, .seed = 5};
  Runtime runtime_;
  Model model_;
  std::vector<int32_t> prompt_, expected_, text_;
};

TEST_F(Drafting, RightGuessesSavePasses) {
  Session s = session(guessing("right"));
  ASSERT_TRUE(s.prefill(prompt_).ok());
  const auto result = generate(s, {.sampling = kSampling, .max_tokens = 1 + 5 + 9 + 9});
  EXPECT_EQ(result.tokens, first(24));
  EXPECT_EQ(result.drafts.passes, 3);  // with 4, 8 and 8 guesses
  EXPECT_EQ(result.drafts.drafted, 20);
  EXPECT_EQ(result.drafts.accepted, 20);
}

TEST_F(Drafting, WrongGuessesCostLittle) {
  Session s = session(guessing("wrong"));
  ASSERT_TRUE(s.prefill(prompt_).ok());
  const auto result = generate(s, {.sampling = kSampling, .max_tokens = 80});
  EXPECT_EQ(result.tokens, first(80));
  EXPECT_EQ(result.drafts.passes, 79);
  EXPECT_EQ(result.drafts.accepted, 0);
  EXPECT_LE(result.drafts.drafted, 4 + 1 + 5);
}

TEST_F(Drafting, EndsAtMaxTokensExactly) {
  for (const auto& [kind, right] : kDrafters) {
    for (int64_t most = 0; most < 30; ++most) {
      Session s = session(guessing(kind));
      ASSERT_TRUE(s.prefill(prompt_).ok());
      const auto result = generate(s, {.sampling = kSampling, .max_tokens = most});
      EXPECT_EQ(result.tokens, first(static_cast<size_t>(most))) << kind;
      EXPECT_EQ(result.reason, FinishReason::kLength);
      // No guess was beyond the end: with right ones, none is left over.
      if (kind == "right") {
        EXPECT_EQ(result.drafts.accepted, result.drafts.drafted) << most;
      }
    }
  }
}

TEST_F(Drafting, FillsTheContextExactly) {
  for (const auto& [kind, right] : kDrafters) {
    for (int64_t context = 40; context < 60; ++context) {
      Session s = session(guessing(kind), context);
      ASSERT_TRUE(s.prefill(prompt_).ok());
      const auto result = generate(s, {.sampling = kSampling});
      EXPECT_EQ(result.reason, FinishReason::kContextFull);
      EXPECT_EQ(result.tokens, first(static_cast<size_t>(context) - 40 + 1)) << kind << context;
      EXPECT_TRUE(s.full());
    }
  }
  auto block = make_mtp_drafter(runtime_.context(), model_, {.context = 50});
  ASSERT_TRUE(block.ok());
  Session mtp = session(std::move(block).take_value(), 50, 64);
  ASSERT_TRUE(mtp.prefill(prompt_).ok());
  EXPECT_EQ(generate(mtp, {.sampling = kSampling}).tokens, first(11));
}

TEST_F(Drafting, EndTokenInsideADraft) {
  for (size_t at = 0; at < 20; ++at) {
    const int32_t end = expected_[at];
    const auto stop =
        static_cast<size_t>(std::find(expected_.begin(), expected_.end(), end) - expected_.begin());
    Session s = session(guessing("right"));
    ASSERT_TRUE(s.prefill(prompt_).ok());
    const auto result =
        generate(s, {.sampling = kSampling, .is_end = [&](int32_t id) { return id == end; }});
    EXPECT_EQ(result.reason, FinishReason::kStop);
    EXPECT_EQ(result.tokens, first(stop));
    EXPECT_EQ(result.drafts.accepted, result.drafts.drafted);  // nothing was guessed behind it
  }
}

// Stopped after any token, by on_token or the flag: what comes next is what would have come.
TEST_F(Drafting, GoesOnAfterAStop) {
  for (const auto& [kind, right] : kDrafters) {
    for (int stop_after = 1; stop_after < 16; ++stop_after) {
      Session s = session(guessing(kind));
      ASSERT_TRUE(s.prefill(prompt_).ok());
      std::atomic<bool> stop{false};
      int seen = 0;
      const auto begin = generate(s, {.sampling = kSampling,
                                      .on_token =
                                          [&](int32_t) {
                                            if (++seen == stop_after) stop = true;
                                            return true;
                                          },
                                      .stop = &stop});
      EXPECT_EQ(begin.reason, FinishReason::kCancelled);
      EXPECT_EQ(begin.tokens, first(static_cast<size_t>(stop_after)));
      if (stop_after % 2 == 1) {  // else another turn comes in the middle of a draft
        auto rest = generate(s, {.sampling = kSampling, .max_tokens = 20}).tokens;
        rest.insert(rest.begin(), begin.tokens.begin(), begin.tokens.end());
        EXPECT_EQ(rest, first(static_cast<size_t>(stop_after) + 20)) << kind;
      }
      // The cache holds the sequence and no rejected guess.
      std::vector<int32_t> turn(s.tokens().begin(), s.tokens().end());
      turn.push_back(3);
      Session fresh = session(nullptr);
      ASSERT_TRUE(s.prefill(turn).ok() && fresh.prefill(turn).ok());
      EXPECT_TRUE(std::ranges::equal(s.logits(), fresh.logits())) << kind;
    }
  }
}

TEST_F(Drafting, AStopInsideAPassLosesNothing) {
  for (const auto& [kind, right] : kDrafters) {
    Session s = session(guessing(kind));
    ASSERT_TRUE(s.prefill(prompt_).ok());
    const std::atomic<bool> stop{true};
    std::vector<int32_t> tokens;
    int stopped = 0;
    for (int call = 0; tokens.size() < 30; ++call) {
      const auto token = s.next(kSampling, call % 2 == 0 ? &stop : nullptr);
      if (token.ok()) {
        tokens.push_back(token.value());
      } else {
        EXPECT_EQ(token.error().what, "stopped");
        ++stopped;
      }
    }
    EXPECT_EQ(tokens, first(30)) << kind;
    EXPECT_GT(stopped, 1) << kind;
  }
}

// The first guess was right under one sampling, and the next call has another.
TEST_F(Drafting, SamplingMayChangeBetweenTokens) {
  Session plain = session(nullptr), guessed = session(guessing("right"));
  ASSERT_TRUE(plain.prefill(prompt_).ok() && guessed.prefill(prompt_).ok());
  for (uint64_t i = 0; i < 40; ++i) {
    SamplingOptions sampling = kSampling;
    if (i % 7 == 3) sampling = {.temperature = 2.0f, .seed = i};
    EXPECT_EQ(plain.next(sampling).value(), guessed.next(sampling).value()) << i;
  }
}

// ---- the multi-token-prediction block's cache ----

// Keeps what was guessed after what.
class Recorder : public Drafter {
 public:
  struct Draft {
    std::vector<int32_t> tokens, guesses;
  };
  Recorder(std::unique_ptr<Drafter> inner, std::vector<Draft>& drafts)
      : inner_(std::move(inner)), drafts_(&drafts) {}
  Result<void> draft(std::span<const int32_t> tokens, int64_t most,
                     std::vector<int32_t>& out) override {
    auto done = inner_->draft(tokens, most, out);
    drafts_->push_back({{tokens.begin(), tokens.end()}, out});
    return done;
  }
  bool wants_hidden() const override { return inner_->wants_hidden(); }
  Result<void> observe(std::span<const int32_t> tokens, const float* hidden,
                       int64_t rows) override {
    return inner_->observe(tokens, hidden, rows);
  }
  int64_t keep(int64_t length) override { return inner_->keep(length); }

 private:
  std::unique_ptr<Drafter> inner_;
  std::vector<Draft>* drafts_;
};

class MtpCache : public Drafting {
 protected:
  Session recorded() {
    auto drafter = make_mtp_drafter(runtime_.context(), model_, {.context = 128});
    EXPECT_TRUE(drafter.ok());
    return session(std::make_unique<Recorder>(std::move(drafter).take_value(), drafts_));
  }

  // What the block guesses when the whole sequence goes through it at once.
  std::vector<int32_t> fresh_guesses(const std::vector<int32_t>& tokens, size_t count) {
    const Context& context = runtime_.context();
    const auto known = std::span(tokens).first(tokens.size() - 1);
    const auto width = static_cast<size_t>(model_.config().hidden);
    std::vector<float> hidden(known.size() * width), state(width);
    std::vector<float> logits(static_cast<size_t>(model_.config().vocab));
    auto cache = KvCache::create(model_.config(), {.capacity = 128});
    auto own = KvCache::create(model_.config(), {.capacity = 128, .layers = 1});
    EXPECT_TRUE(
        forward(context, model_, cache.value(), known, {.logit_rows = 0, .hidden = hidden.data()})
            .ok());
    std::vector<int32_t> guesses;
    guesses.reserve(count);  // args points into it
    MtpArgs args{.next_tokens = std::span(tokens).subspan(1), .hidden = hidden.data()};
    args.logits = logits.data();
    args.hidden_out = state.data();
    while (guesses.size() < count) {
      EXPECT_TRUE(mtp_forward(context, model_, own.value(), args).ok());
      guesses.push_back(
          static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
      args.next_tokens = {&guesses.back(), 1};
      args.hidden = state.data();
    }
    return guesses;
  }

  void expect_fresh(const std::string& when) {
    EXPECT_FALSE(drafts_.empty()) << when;
    for (const auto& [tokens, guesses] : drafts_)
      EXPECT_EQ(guesses, fresh_guesses(tokens, guesses.size())) << when << ", " << tokens.size();
    drafts_.clear();
  }

  std::vector<Recorder::Draft> drafts_;
};

TEST_F(MtpCache, FollowsTheSequence) {
  Session s = recorded();
  const GenerateOptions ten{.sampling = kSampling, .max_tokens = 10};
  const auto read = [&](std::span<const int32_t> tokens) {
    auto result = s.prefill(tokens);
    EXPECT_TRUE(result.ok());
    return result.value().reused;
  };
  read(prompt_);
  generate(s, ten);
  expect_fresh("after the prompt");

  // The next turn of a conversation: all is in the cache but the last token.
  std::vector<int32_t> turn(s.tokens().begin(), s.tokens().end());
  turn.insert(turn.end(), {7, 8, 9});
  EXPECT_EQ(read(turn), 49);
  generate(s, ten);
  expect_fresh("after another turn");

  turn[30] ^= 1;
  EXPECT_EQ(read(turn), 29);  // the state of position 29 is needed again
  generate(s, ten);
  expect_fresh("after a change in the middle");

  EXPECT_EQ(read(std::span(turn).first(5)), 3);
  generate(s, ten);
  expect_fresh("after a cut");

  turn[0] ^= 1;
  EXPECT_EQ(read(turn), 0);
  generate(s, ten);
  expect_fresh("after a new beginning");

  EXPECT_EQ(read(turn), 51);
  EXPECT_EQ(read(turn), 52);  // the block has not seen the last tokens yet
  generate(s, ten);
  expect_fresh("after the same again");

  int calls = 0;
  turn[1] ^= 1;
  EXPECT_FALSE(
      s.prefill(turn, {.progress = [&](const ProgressReport&) { return ++calls < 3; }}).ok());
  read(turn);
  generate(s, ten);
  expect_fresh("after a stopped prompt");

  int left = 4;
  generate(s, {.sampling = kSampling, .on_token = [&](int32_t) { return --left > 0; }});
  drafts_.clear();
  turn.assign(s.tokens().begin(), s.tokens().end());
  read(turn);
  generate(s, ten);
  expect_fresh("after a stopped answer");
}

TEST_F(MtpCache, WaitsThroughPauses) {
  // Guesses of this random model are nearly always wrong, so that there are pauses of 31 tokens.
  Session s = recorded();
  ASSERT_TRUE(s.prefill(std::span(prompt_).first(3)).ok());
  generate(s, {.sampling = kSampling, .max_tokens = 120});
  expect_fresh("with pauses");
}

TEST_F(MtpCache, NeedsTheBlock) {
  const Model without = open_model("deepseek_v3-s1", runtime_.context());
  const auto drafter =
      make_drafter(runtime_.context(), without, {.speculation = Speculation::kMtp});
  ASSERT_FALSE(drafter.ok());
  EXPECT_THAT(drafter.error().message(), ::testing::HasSubstr("multi-token-prediction"));
}

}  // namespace
}  // namespace ponder::testing
