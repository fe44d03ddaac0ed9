#include "engine/engine.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/checked_math.hpp"
#include "engine/prefix_file.hpp"
#include "engine/scheduler.hpp"

namespace ponder {
namespace {

constexpr int kMostChoices = 128;

// A quarter of the machine's memory, but no more than all sequences can use.
int64_t pages_by_default(const EngineOptions& options, uint64_t page_bytes) {
  const auto memory = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                      static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const int64_t each = ceil_div(options.context, kKvPage) + 1;
  return std::min(static_cast<int64_t>(memory / 4 / page_bytes), each * options.parallel);
}

Submitted refuse(SubmitError error, Error why) { return {.error = error, .why = std::move(why)}; }

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(const Context& context, const Model& model,
                                               const EngineOptions& options) {
  PONDER_CHECK(options.parallel > 0 && options.queue > 0 && options.draft > 0 &&
               options.step_tokens > 0 && options.busy_prompt_tokens > 0);
  const Config& config = model.config();
  if (options.context < 1 || options.context > config.context) {
    return Failure{
        {.what = "a context of " + std::to_string(options.context) + " tokens is not possible",
         .where = "context",
         .mend = "use 1 to " + std::to_string(config.context) + ", what the model was made for"}};
  }
  const bool mtp = options.speculation == Speculation::kMtp;
  uint64_t page_bytes = KvPool::page_bytes(config, options.kv_dtype);
  if (mtp) page_bytes += KvPool::page_bytes(config, options.kv_dtype, 1);
  // A sequence of the whole context, and a page to copy a shared one to.
  const int64_t least = ceil_div(options.context, kKvPage) + 1;
  int64_t pages = std::max(pages_by_default(options, page_bytes), least);
  if (options.cache_bytes > 0) {
    pages = static_cast<int64_t>(options.cache_bytes / page_bytes);
    if (pages < least) {
      const uint64_t mib = (static_cast<uint64_t>(least) * page_bytes >> 20) + 1;
      return Failure{{.what = "a cache of " + std::to_string(options.cache_bytes >> 20) +
                              " MiB does not hold one sequence of " +
                              std::to_string(options.context) + " tokens",
                      .where = "cache",
                      .mend = "give it " + std::to_string(mib) + " MiB, or use a shorter context"}};
    }
  }
  auto pool = PONDER_TRY(KvPool::create(config, {.pages = pages, .dtype = options.kv_dtype}));
  std::shared_ptr<KvPool> draft_pool;
  if (mtp) {
    draft_pool = PONDER_TRY(
        KvPool::create(config, {.pages = pages, .dtype = options.kv_dtype, .layers = 1}));
  }
  // So that a model without such a block is refused here and not at the first request.
  PONDER_TRY(make_drafter(context, model,
                          {.speculation = options.speculation,
                           .context = options.context,
                           .kv_dtype = options.kv_dtype,
                           .pool = draft_pool}));
  std::unique_ptr<Engine> engine(new Engine);
  engine->options_ = options;
  engine->model_ = &model;
  engine->scheduler_ =
      std::make_unique<Scheduler>(context, model, options, std::move(pool), std::move(draft_pool));
  return engine;
}

Engine::~Engine() = default;

std::optional<Submitted> Engine::refusal(std::span<const int32_t> tokens) const {
  if (tokens.empty()) return refuse(SubmitError::kInvalid, {.what = "the prompt has no tokens"});
  const int64_t vocab = model_->config().vocab;
  for (const int32_t token : tokens) {
    if (token < 0 || token >= vocab) {
      return refuse(SubmitError::kInvalid,
                    {.what = "token " + std::to_string(token) + " is not in the vocabulary of " +
                             std::to_string(vocab)});
    }
  }
  if (std::ssize(tokens) > options_.context) {
    return refuse(SubmitError::kTooLong,
                  {.what = "the prompt has " + std::to_string(tokens.size()) +
                           " tokens, but the context holds " + std::to_string(options_.context),
                   .mend = "use a larger context, or a shorter prompt"});
  }
  return std::nullopt;
}

Submitted Engine::submit(GenerationRequest request, std::shared_ptr<GenerationSink> sink) {
  if (auto refused = refusal(request.prompt)) return *refused;
  if (request.choices < 1 || request.choices > kMostChoices) {
    return refuse(SubmitError::kInvalid,
                  {.what = std::to_string(request.choices) + " choices are not possible",
                   .mend = "use 1 to " + std::to_string(kMostChoices)});
  }
  for (const auto& [token, bias] : request.sampling.logit_bias) {
    if (token < 0 || token >= model_->config().vocab) {
      return refuse(SubmitError::kInvalid,
                    {.what = "the bias is for token " + std::to_string(token) +
                             ", which is not in the vocabulary"});
    }
  }
  auto job = std::make_shared<Job>();
  job->open = request.choices;
  job->request = std::move(request);
  job->sink = std::move(sink);
  return scheduler_->submit(std::move(job));
}

Submitted Engine::submit(EmbeddingRequest request, EmbeddingSink sink) {
  if (auto refused = refusal(request.tokens)) return *refused;
  auto job = std::make_shared<Job>();
  job->open = 1;
  job->request = {.prompt = std::move(request.tokens),
                  .client = std::move(request.client),
                  .priority = request.priority};
  job->embedding = std::move(sink);
  job->pooling = request.pooling;
  return scheduler_->submit(std::move(job));
}

void Engine::cancel(uint64_t id) { scheduler_->cancel(id); }

EngineStats Engine::stats() const { return scheduler_->stats(); }

Result<int64_t> Engine::save_prefix(std::span<const int32_t> tokens,
                                    const std::filesystem::path& file) {
  Result<int64_t> saved = 0;
  scheduler_->run([&] {
    const PrefixTree::Match match = scheduler_->tree().find(tokens);
    saved = write_prefix(*model_, scheduler_->pool(),
                         {tokens.first(static_cast<size_t>(match.length)), match.pages}, file);
  });
  return saved;
}

Result<int64_t> Engine::load_prefix(const std::filesystem::path& file) {
  Result<int64_t> loaded = 0;
  scheduler_->run(
      [&] { loaded = read_prefix(*model_, scheduler_->pool(), scheduler_->tree(), file); });
  return loaded;
}

void Engine::forget_prefixes() {
  scheduler_->run([&] {
    PrefixTree& tree = scheduler_->tree();
    tree.evict(tree.pages());
    PONDER_CHECK(tree.pages() == 0);
  });
}

}  // namespace ponder
