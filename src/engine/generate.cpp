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
                 const SessionOptions& options)
    : context_(&context),
      model_(&model),
      cache_(std::move(cache)),
      options_(options),
      logits_(static_cast<size_t>(model.config().vocab)) {}

Result<Session> Session::create(const Context& context, const Model& model,
                                const SessionOptions& options) {
  PONDER_CHECK(options.prompt_chunk > 0);
  KvCache cache = PONDER_TRY(
      KvCache::create(model.config(), {.capacity = options.context, .dtype = options.kv_dtype}));
  return Session(context, model, std::move(cache), options);
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
  const auto known = std::span(tokens_).first(static_cast<size_t>(cache_.length()));
  const auto differ = std::mismatch(known.begin(), known.end(), tokens.begin(), tokens.end()).first;
  // The last token is computed in any case: its logits are wanted.
  const int64_t reused = std::min<int64_t>(differ - known.begin(), count - 1);
  cache_.truncate(reused);
  tokens_.assign(tokens.begin(), tokens.end());
  prompt_ = count;
  logits_ready_ = false;
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
    const bool last = done + count == total;
    PONDER_TRY(
        forward(*context_, *model_, cache_,
                std::span(tokens_).subspan(static_cast<size_t>(done), static_cast<size_t>(count)),
                {.logit_rows = last ? 1 : 0, .logits = logits_.data(), .stop = options.stop}));
  }
  if (options.progress)
    options.progress({"reading the prompt", static_cast<uint64_t>(total),
                      static_cast<uint64_t>(total), "tokens"});
  logits_ready_ = true;
  return {};
}

Result<int32_t> Session::next(const SamplingOptions& sampling, const std::atomic<bool>* stop) {
  if (tokens_.empty()) {
    return Failure{{.what = "there is no prompt to continue", .where = "prompt"}};
  }
  if (full()) {
    return Failure{
        {.what = "the context of " + std::to_string(cache_.capacity()) + " tokens is full",
         .where = "context",
         .mend = "use a larger context"}};
  }
  if (!logits_ready_) PONDER_TRY(evaluate({.progress = {}, .stop = stop}));
  const auto history = std::span(tokens_).subspan(static_cast<size_t>(prompt_));
  const int32_t token =
      sample(logits_.span(), history, sampling, static_cast<uint64_t>(history.size()));
  logits_ready_ = false;
  tokens_.push_back(token);
  return token;
}

Result<GenerateResult> Session::generate(const GenerateOptions& options) {
  GenerateResult result;
  const auto finish = [&](FinishReason reason) {
    result.reason = reason;
    return result;
  };
  while (options.max_tokens < 0 ||
         static_cast<int64_t>(result.tokens.size()) < options.max_tokens) {
    if (stop_wanted(options.stop)) return finish(FinishReason::kCancelled);
    if (full()) return finish(FinishReason::kContextFull);
    auto token = next(options.sampling, options.stop);
    if (!token.ok() && stop_wanted(options.stop)) return finish(FinishReason::kCancelled);
    const int32_t id = PONDER_TRY(std::move(token));
    if (options.is_end && options.is_end(id)) return finish(FinishReason::kStop);
    result.tokens.push_back(id);
    if (options.on_token && !options.on_token(id)) return finish(FinishReason::kCancelled);
  }
  return finish(FinishReason::kLength);
}

}  // namespace ponder
