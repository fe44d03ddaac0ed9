#include "engine/scheduler.hpp"

#include <algorithm>

#include "base/checked_math.hpp"

namespace ponder {
namespace {

// Tokens that two sequences begin with.
int64_t common_beginning(std::span<const int32_t> a, std::span<const int32_t> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

// Pages for `tokens` and the next one.
int64_t pages_for(int64_t tokens) { return ceil_div(tokens + 1, kKvPage); }

}  // namespace

Engine::Scheduler::Scheduler(const Context& context, const Model& model,
                             const EngineOptions& options, std::shared_ptr<KvPool> pool,
                             std::shared_ptr<KvPool> draft_pool)
    : context_(&context),
      model_(&model),
      options_(options),
      pool_(std::move(pool)),
      draft_pool_(std::move(draft_pool)),
      tree_(pool_) {
  counts_.pages = pool_->pages();
  counts_.page_bytes = pool_->page_bytes();
  counts_.page_tokens = kKvPage;
  publish();
  thread_ = std::thread([this] { loop(); });
}

Engine::Scheduler::~Scheduler() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

Submitted Engine::Scheduler::submit(std::shared_ptr<Job> job) {
  const std::lock_guard lock(mutex_);
  if (stopping_)
    return {.error = SubmitError::kStopping, .why = {.what = "the engine is stopping"}};
  if (queued_ + job->open > options_.queue) {
    return {.error = SubmitError::kQueueFull,
            .why = {.what = std::to_string(queued_) + " requests are waiting already",
                    .mend = "try again later"}};
  }
  queued_ += job->open;
  job->id = ++last_id_;
  job->submitted = Clock::now();
  inbox_.push_back(job);
  ++stats_.requests;
  only_ = 0;
  wake_.notify_all();
  return {.id = job->id};
}

void Engine::Scheduler::cancel(uint64_t id) {
  const std::lock_guard lock(mutex_);
  cancels_.push_back(id);
  if (id == only_) stop_ = true;  // nobody else loses by it
  wake_.notify_all();
}

EngineStats Engine::Scheduler::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void Engine::Scheduler::run(const std::function<void()>& task) {
  std::unique_lock lock(mutex_);
  bool done = false;
  std::condition_variable ready;
  tasks_.push_back([&] {
    task();
    const std::lock_guard inner(mutex_);
    done = true;
    ready.notify_all();
  });
  wake_.notify_all();
  ready.wait(lock, [&] { return done; });
}

void Engine::Scheduler::loop() {
  while (take_inbox()) {
    admit();
    if (!running_.empty()) step();
    publish();
  }
  for (auto& work : waiting_.take_all([](const Work&) { return true; }))
    finish(*work, FinishReason::kCancelled);
  for (auto& work : running_) finish(*work, FinishReason::kCancelled);
  running_.clear();
  publish();
}

// Waits until there is something to do, and takes in what has come.
bool Engine::Scheduler::take_inbox() {
  std::vector<std::shared_ptr<Job>> jobs;
  std::vector<uint64_t> cancels;
  std::deque<std::function<void()>> tasks;
  bool stopping = false;
  {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] {
      return stopping_ || !inbox_.empty() || !cancels_.empty() || !tasks_.empty() ||
             !running_.empty() || waiting_.size() > 0;
    });
    jobs.swap(inbox_);
    cancels.swap(cancels_);
    tasks.swap(tasks_);
    stopping = stopping_;
    if (!stopping) stop_ = false;
  }
  for (const auto& job : jobs) {
    for (int choice = 0; choice < job->request.choices; ++choice) {
      auto work = std::make_unique<Work>(Work{.job = job, .choice = choice});
      work->tokens = job->request.prompt;
      if (job->request.make_guide) work->guide = job->request.make_guide();
      waiting_.push(std::move(work));
    }
  }
  for (const auto& task : tasks) task();
  for (const uint64_t id : cancels) end_job(id);
  remove_done();
  return !stopping;
}

void Engine::Scheduler::end_job(uint64_t id) {
  const auto of_job = [&](const Work& work) { return work.job->id == id; };
  const auto gone = waiting_.take_all(of_job);
  std::vector<Work*> works;
  for (const auto& work : gone) works.push_back(work.get());
  for (const auto& work : running_)
    if (of_job(*work) && !work->done) works.push_back(work.get());
  if (!works.empty()) ++counts_.cancelled;
  for (Work* work : works) finish(*work, FinishReason::kCancelled);
}

void Engine::Scheduler::admit() {
  while (std::ssize(running_) < options_.parallel) {
    Work* next = waiting_.first([&](const Work& work) {
      // Further choices find the prompt in the cache once the first one has been through it.
      if (work.choice > 0 && options_.share_prefixes && !work.job->prompt_known) return false;
      return !waits_for_prefix(work);
    });
    if (next == nullptr || !start(*next)) return;
    running_.push_back(waiting_.take(next));
  }
}

// Whether a sequence is just computing more of what this one begins with.
bool Engine::Scheduler::waits_for_prefix(const Work& work) const {
  if (!options_.share_prefixes || work.request().prompt_log_probabilities) return false;
  return std::any_of(running_.begin(), running_.end(), [&](const auto& other) {
    if (!other->sequence || other->sequence->missing() <= kKvPage) return false;
    const Sequence& sequence = *other->sequence;
    const int64_t common = common_beginning(work.tokens, sequence.tokens());
    return std::min(common, std::ssize(work.tokens) - 1) - sequence.cache().length() >= kKvPage;
  });
}

// Gives the work its sequence, with what the cache knows of it. False if the cache has no room for
// it now.
bool Engine::Scheduler::start(Work& work) {
  const std::span<const int32_t> tokens = work.tokens;
  const bool all_rows = work.request().prompt_log_probabilities ||
                        (work.job->embeds() && work.job->pooling == Pooling::kMean);
  PrefixTree::Match match;
  if (options_.share_prefixes && !all_rows) match = tree_.find(tokens.first(tokens.size() - 1));
  int64_t room = pool_->free_pages() + tree_.unshared_pages();
  for (const int32_t page : match.pages) room -= pool_->owners(page) == 1 ? 1 : 0;
  for (const auto& other : running_) {
    if (!other->sequence) continue;
    const auto held = std::ssize(other->sequence->cache().pages());
    room -= std::max<int64_t>(pages_for(std::ssize(other->sequence->tokens())) - held, 0);
  }
  const int64_t wanted = pages_for(std::ssize(tokens)) - match.length / kKvPage;
  if (wanted > room && !running_.empty()) return false;
  auto sequence = make_sequence();
  if (!sequence.ok()) {
    fail(work, sequence.error());
    return true;  // leaves with the works that are done
  }
  work.sequence = std::move(sequence).take_value();
  if (work.job->embeds()) work.sequence->keep_hidden();
  work.sequence->start_shared(tokens, match.pages, match.length, work.prompt());
  if (work.cached < 0) {
    work.cached = match.length;
    counts_.cached_tokens += static_cast<uint64_t>(match.length);
  }
  work.tokens.clear();
  return true;
}

Result<std::unique_ptr<Sequence>> Engine::Scheduler::make_sequence() {
  auto drafter = PONDER_TRY(make_drafter(*context_, *model_,
                                         {.speculation = options_.speculation,
                                          .context = options_.context,
                                          .kv_dtype = options_.kv_dtype,
                                          .pool = draft_pool_}));
  return std::make_unique<Sequence>(*model_, KvCache(pool_, options_.context), options_.draft,
                                    std::move(drafter));
}

// Later sequences that begin like this one find the pages of its first `length` tokens.
void Engine::Scheduler::keep_prefix(Work& work, int64_t length) {
  if (!options_.share_prefixes) return;
  const KvCache& cache = work.sequence->cache();
  tree_.insert(work.sequence->tokens().first(static_cast<size_t>(length)),
               cache.pages().first(static_cast<size_t>(ceil_div(length, kKvPage))));
}

// The work stops running; its pages go, but for what the tree keeps.
void Engine::Scheduler::release(Work& work) {
  if (!work.sequence) return;
  work.sequence->forget_draft();
  keep_prefix(work, work.sequence->cache().length());
  const DraftCounts& drafts = work.sequence->counts();
  work.drafts.passes += drafts.passes;
  work.drafts.drafted += drafts.drafted;
  work.drafts.accepted += drafts.accepted;
  counts_.drafted_tokens += static_cast<uint64_t>(drafts.drafted);
  counts_.accepted_tokens += static_cast<uint64_t>(drafts.accepted);
  work.tokens.assign(work.sequence->tokens().begin(), work.sequence->tokens().end());
  work.sequence = nullptr;
}

void Engine::Scheduler::finish(Work& work, FinishReason reason) {
  release(work);
  work.done = true;
  Job& job = *work.job;
  --job.open;
  job.prompt_known = true;  // or will never be: the other choices need not wait
  publish();                // before anybody hears of the end
  if (job.failed) return;
  if (job.embeds()) {
    if (reason == FinishReason::kCancelled) job.embedding(Failure{{.what = "cancelled"}});
    return;
  }
  FinishEvent event{.choice = work.choice,
                    .reason = reason,
                    .prompt_tokens = work.prompt(),
                    .cached_tokens = std::max<int64_t>(work.cached, 0),
                    .generated_tokens = work.generated,
                    .drafts = work.drafts,
                    .timings = {}};
  const auto now = Clock::now();
  const auto started = work.started == Clock::time_point{} ? now : work.started;
  const auto first = work.first_token == Clock::time_point{} ? now : work.first_token;
  event.timings = {.queue_seconds = seconds_between(job.submitted, started),
                   .prompt_seconds = seconds_between(started, first),
                   .generate_seconds = seconds_between(first, now)};
  job.sink->on_finish(event);
}

// The whole request ends with an error.
void Engine::Scheduler::fail(Work& work, const Error& error) {
  Job& job = *work.job;
  release(work);
  work.done = true;
  --job.open;
  if (job.failed) return;
  job.failed = true;
  job.prompt_known = true;
  publish();
  if (job.embeds()) {
    job.embedding(Failure{error});
  } else {
    job.sink->on_error(error);
  }
  const std::lock_guard lock(mutex_);
  cancels_.push_back(job.id);  // its other choices
}

void Engine::Scheduler::remove_done() {
  running_.remove_if([](const auto& work) { return work->done; });
}

void Engine::Scheduler::publish() {
  counts_.running = 0;
  counts_.pages_cached = tree_.unshared_pages();
  counts_.pages_used = pool_->pages() - pool_->free_pages() - counts_.pages_cached;
  uint64_t only = 0;
  bool several = false;
  for (const auto& work : running_) {
    if (work->done) continue;
    ++counts_.running;
    several = several || (only != 0 && only != work->job->id);
    only = work->job->id;
  }
  const std::lock_guard lock(mutex_);
  queued_ = waiting_.size();
  for (const auto& job : inbox_) queued_ += job->open;
  counts_.waiting = queued_;
  counts_.requests = stats_.requests;
  stats_ = counts_;
  only_ = queued_ == 0 && !several ? only : 0;
}

}  // namespace ponder
