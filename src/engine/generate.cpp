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

Session::Session(const Context& context, const Model& model, Sequence sequence,
                 const SessionOptions& options)
    : context_(&context),
      model_(&model),
      sequence_(std::move(sequence)),
      options_(options),
      logits_(vocab() * static_cast<size_t>(sequence_.most_rows())) {}

Result<Session> Session::create(const Context& context, const Model& model,
                                const SessionOptions& options, std::unique_ptr<Drafter> drafter) {
  PONDER_CHECK(options.prompt_chunk > 0 && options.draft > 0);
  KvCache cache = PONDER_TRY(
      KvCache::create(model.config(), {.capacity = options.context, .dtype = options.kv_dtype}));
  return Session(context, model,
                 Sequence(model, std::move(cache), options.draft, std::move(drafter)), options);
}

Result<PrefillResult> Session::prefill(std::span<const int32_t> tokens,
                                       const PrefillOptions& options) {
  const auto count = std::ssize(tokens);
  if (count == 0) {
    return Failure{{.what = "the prompt has no tokens",
                    .where = "prompt",
                    .mend = "give a text of at least one token"}};
  }
  if (count > capacity()) {
    return Failure{{.what = "the prompt has " + std::to_string(count) +
                            " tokens, but the context holds " + std::to_string(capacity()),
                    .where = "prompt",
                    .mend = "use a larger context, or a shorter prompt"}};
  }
  const int64_t reused = PONDER_TRY(sequence_.start(tokens));
  PONDER_TRY(evaluate({.tokens = options_.prompt_chunk}, options));
  return PrefillResult{count, reused};
}

// Computes what the cache does not hold yet, and the logits of the last token.
Result<void> Session::evaluate(const Sequence::StepLimits& limits, const PrefillOptions& options) {
  const auto total = static_cast<uint64_t>(tokens().size());
  const auto report = [&](uint64_t done) {
    return !options.progress || options.progress({"reading the prompt", done, total, "tokens"});
  };
  while (!sequence_.ready()) {
    if (!report(static_cast<uint64_t>(sequence_.cache().length()))) return stopped();
    SequenceStep step = PONDER_TRY(sequence_.step(limits));
    step.logits = logits_.data();
    PONDER_TRY(forward_batch(*context_, *model_, {&step, 1}, {.stop = options.stop}));
    sequence_.computed();
  }
  report(total);
  return {};
}

Result<int32_t> Session::next(const SamplingOptions& sampling, const std::atomic<bool>* stop) {
  return choose(sampling, {.tokens = options_.prompt_chunk}, stop);
}

Result<int32_t> Session::choose(const SamplingOptions& sampling, const Sequence::StepLimits& limits,
                                const std::atomic<bool>* stop) {
  if (tokens().empty()) {
    return Failure{{.what = "there is no prompt to continue", .where = "prompt"}};
  }
  if (full()) {
    return Failure{{.what = "the context of " + std::to_string(capacity()) + " tokens is full",
                    .where = "context",
                    .mend = "use a larger context"}};
  }
  PONDER_TRY(evaluate(limits, {.stop = stop}));
  return sequence_.choose(
      logits_.span().subspan(static_cast<size_t>(sequence_.row()) * vocab(), vocab()), sampling);
}

Result<GenerateResult> Session::generate(const GenerateOptions& options) {
  GenerateResult result;
  sequence_.reset_counts();
  const auto finish = [&](FinishReason reason) {
    result.reason = reason;
    result.drafts = sequence_.counts();
    return result;
  };
  while (options.max_tokens < 0 || std::ssize(result.tokens) < options.max_tokens) {
    if (stop_wanted(options.stop)) return finish(FinishReason::kCancelled);
    if (full()) return finish(FinishReason::kContextFull);
    Sequence::StepLimits limits{.tokens = options_.prompt_chunk, .is_end = &options.is_end};
    if (options.max_tokens >= 0) limits.draft = options.max_tokens - std::ssize(result.tokens) - 1;
    auto token = choose(options.sampling, limits, options.stop);
    if (!token.ok() && stop_wanted(options.stop)) return finish(FinishReason::kCancelled);
    const int32_t id = PONDER_TRY(std::move(token));
    if (options.is_end && options.is_end(id)) return finish(FinishReason::kStop);
    result.tokens.push_back(id);
    if (options.on_token && !options.on_token(id)) return finish(FinishReason::kCancelled);
  }
  return finish(FinishReason::kLength);
}

}  // namespace ponder
