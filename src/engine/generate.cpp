#include "engine/generate.hpp"

#include <algorithm>
#include <array>

namespace ponder {
namespace {

bool stop_wanted(const std::atomic<bool>* stop) {
  return stop != nullptr && stop->load(std::memory_order_relaxed);
}

Failure stopped() { return Failure{{.what = "stopped"}}; }

}  // namespace

std::string_view finish_reason_name(FinishReason reason) {
  constexpr std::array<std::string_view, 4> kNames = {"stop", "length", "context full",
                                                      "cancelled"};
  return kNames[static_cast<size_t>(reason)];
}

Session::Session(const Context& context, const Model& model, KvCache cache,
                 const SessionOptions& options, std::unique_ptr<Drafter> drafter)
    : context_(&context),
      model_(&model),
      cache_(std::move(cache)),
      options_(options),
      drafter_(std::move(drafter)),
      draft_length_(options.draft),
      logits_(vocab() * static_cast<size_t>(drafter_ ? 1 + options.draft : 1)) {
  if (drafter_ && drafter_->wants_hidden())
    hidden_ = Buffer<float>(static_cast<size_t>(std::max(options.prompt_chunk, 1 + options.draft) *
                                                model.config().hidden));
}

Result<Session> Session::create(const Context& context, const Model& model,
                                const SessionOptions& options, std::unique_ptr<Drafter> drafter) {
  PONDER_CHECK(options.prompt_chunk > 0 && options.draft > 0);
  KvCache cache = PONDER_TRY(
      KvCache::create(model.config(), {.capacity = options.context, .dtype = options.kv_dtype}));
  return Session(context, model, std::move(cache), options, std::move(drafter));
}

bool Session::full() const { return static_cast<int64_t>(tokens_.size()) > cache_.capacity(); }

Result<PrefillResult> Session::prefill(std::span<const int32_t> tokens,
                                       const PrefillOptions& options) {
  const auto count = static_cast<int64_t>(tokens.size());
  if (count == 0) {
    return Failure{{.what = "the prompt has no tokens",
                    .where = "prompt",
                    .mend = "give a text of at least one token"}};
  }
  if (count > cache_.capacity()) {
    return Failure{{.what = "the prompt has " + std::to_string(count) +
                            " tokens, but the context holds " + std::to_string(cache_.capacity()),
                    .where = "prompt",
                    .mend = "use a larger context, or a shorter prompt"}};
  }
  forget_draft();
  PONDER_TRY(observe());
  const auto known = std::span(tokens_).first(static_cast<size_t>(cache_.length()));
  const auto differ = std::mismatch(known.begin(), known.end(), tokens.begin(), tokens.end()).first;
  // The last token is computed in any case: its logits are wanted.
  int64_t reused = std::min<int64_t>(differ - known.begin(), count - 1);
  if (drafter_) reused = drafter_->keep(reused);
  cache_.truncate(reused);
  observed_ = reused;
  tokens_.assign(tokens.begin(), tokens.end());
  prompt_ = count;
  draft_length_ = DraftLength(options_.draft);
  PONDER_TRY(evaluate(options));
  return PrefillResult{count, reused};
}

// Computes what the cache does not hold yet, and the logits of the last token.
Result<void> Session::evaluate(const PrefillOptions& options) {
  const auto total = static_cast<int64_t>(tokens_.size());
  while (cache_.length() < total) {
    const int64_t done = cache_.length();
    if (options.progress && !options.progress({"reading the prompt", static_cast<uint64_t>(done),
                                               static_cast<uint64_t>(total), "tokens"}))
      return stopped();
    const int64_t count = std::min(options_.prompt_chunk, total - done);
    PONDER_TRY(
        feed(std::span(tokens_).subspan(static_cast<size_t>(done), static_cast<size_t>(count)),
             done + count == total ? 1 : 0, options.stop));
  }
  if (options.progress)
    options.progress({"reading the prompt", static_cast<uint64_t>(total),
                      static_cast<uint64_t>(total), "tokens"});
  logits_ready_ = true;
  return {};
}

// Appends `tokens`, which follow the cache.
Result<void> Session::feed(std::span<const int32_t> tokens, int64_t logit_rows,
                           const std::atomic<bool>* stop) {
  PONDER_TRY(observe());
  return forward(*context_, *model_, cache_, tokens,
                 {.logit_rows = logit_rows,
                  .logits = logits_.data(),
                  .hidden = hidden_.size() > 0 ? hidden_.data() : nullptr,
                  .stop = stop});
}

// Gives the drafter the states of the positions that have come to stay.
Result<void> Session::observe() {
  const int64_t rows = cache_.length() - observed_;
  observed_ = cache_.length();
  if (rows == 0 || hidden_.size() == 0) return {};
  return drafter_->observe(tokens_, hidden_.data(), rows);
}

// The guesses that were not generated leave the cache.
void Session::forget_draft() {
  cache_.truncate(std::min(cache_.length(), static_cast<int64_t>(tokens_.size())));
  draft_.clear();
  row_ = 0;
  logits_ready_ = false;
}

// Guesses at what follows the one token that the cache lacks.
Result<void> Session::make_draft(const Step& step) {
  const int64_t room = std::min(capacity() - static_cast<int64_t>(tokens_.size()), step.most);
  const int64_t most = std::min(room, draft_length_.next());
  if (most <= 0) return {};
  PONDER_TRY(observe());
  PONDER_TRY(drafter_->draft(tokens_, most, draft_));
  PONDER_CHECK(std::ssize(draft_) <= most);
  // What would follow an end is of no use, and the end itself is known without its logits.
  if (step.is_end != nullptr && *step.is_end)
    draft_.erase(std::find_if(draft_.begin(), draft_.end(), *step.is_end), draft_.end());
  return {};
}

// The logits of the last token, and of guesses at what follows it.
Result<void> Session::advance(const Step& step) {
  if (!draft_.empty()) draft_length_.learn(std::ssize(draft_), static_cast<int64_t>(row_));
  forget_draft();
  const bool one = cache_.length() + 1 == std::ssize(tokens_);
  if (!one) return evaluate({.progress = {}, .stop = step.stop});  // a prompt was stopped
  std::vector<int32_t> fed = {tokens_.back()};
  auto done = drafter_ ? make_draft(step) : Result<void>();
  if (done.ok()) {
    fed.insert(fed.end(), draft_.begin(), draft_.end());
    done = feed(fed, std::ssize(fed), step.stop);
  }
  if (!done.ok()) {
    draft_.clear();
    return done;
  }
  ++counts_.passes;
  counts_.drafted += std::ssize(draft_);
  logits_ready_ = true;
  return {};
}

Result<int32_t> Session::next(const SamplingOptions& sampling, const std::atomic<bool>* stop) {
  return choose(sampling, {.stop = stop});
}

Result<int32_t> Session::choose(const SamplingOptions& sampling, const Step& step) {
  if (tokens_.empty()) {
    return Failure{{.what = "there is no prompt to continue", .where = "prompt"}};
  }
  if (full()) {
    return Failure{
        {.what = "the context of " + std::to_string(cache_.capacity()) + " tokens is full",
         .where = "context",
         .mend = "use a larger context"}};
  }
  if (!logits_ready_) PONDER_TRY(advance(step));
  const auto history = std::span(tokens_).subspan(static_cast<size_t>(prompt_));
  const int32_t token = sample(logits_.span().subspan(row_ * vocab(), vocab()), history, sampling,
                               static_cast<uint64_t>(history.size()));
  tokens_.push_back(token);
  if (row_ < draft_.size() && draft_[row_] == token) {
    ++row_;
    ++counts_.accepted;
  } else {
    logits_ready_ = false;
    cache_.truncate(static_cast<int64_t>(tokens_.size()) - 1);
  }
  return token;
}

Result<GenerateResult> Session::generate(const GenerateOptions& options) {
  GenerateResult result;
  counts_ = {};
  const auto finish = [&](FinishReason reason) {
    result.reason = reason;
    result.drafts = counts_;
    return result;
  };
  while (options.max_tokens < 0 ||
         static_cast<int64_t>(result.tokens.size()) < options.max_tokens) {
    if (stop_wanted(options.stop)) return finish(FinishReason::kCancelled);
    if (full()) return finish(FinishReason::kContextFull);
    Step step{.is_end = &options.is_end, .stop = options.stop};
    if (options.max_tokens >= 0)
      step.most = options.max_tokens - static_cast<int64_t>(result.tokens.size()) - 1;
    auto token = choose(options.sampling, step);
    if (!token.ok() && stop_wanted(options.stop)) return finish(FinishReason::kCancelled);
    const int32_t id = PONDER_TRY(std::move(token));
    if (options.is_end && options.is_end(id)) return finish(FinishReason::kStop);
    result.tokens.push_back(id);
    if (options.on_token && !options.on_token(id)) return finish(FinishReason::kCancelled);
  }
  return finish(FinishReason::kLength);
}

}  // namespace ponder
