#include "serve/model_host.hpp"

#include <algorithm>
#include <atomic>

#include "base/log.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

using Clock = std::chrono::steady_clock;

// `sum` += `more`, counters only.
void add_counters(EngineStats& sum, const EngineStats& more) {
  for (uint64_t EngineStats::*counter :
       {&EngineStats::prompt_tokens, &EngineStats::cached_tokens, &EngineStats::generated_tokens,
        &EngineStats::requests, &EngineStats::cancelled, &EngineStats::preempted,
        &EngineStats::evicted_pages, &EngineStats::steps, &EngineStats::drafted_tokens,
        &EngineStats::accepted_tokens})
    sum.*counter += more.*counter;
}

EngineStats with_counters(EngineStats now, const EngineStats& before) {
  add_counters(now, before);
  return now;
}

}  // namespace

struct ModelHost::Usage {
  std::atomic<int64_t> holders{0};
  std::atomic<Clock::rep> last{0};  // when it was given back

  void give_back() {
    last = Clock::now().time_since_epoch().count();
    --holders;
  }
};

struct ModelHost::Entry {
  std::string name;
  State state = State::kUnloaded;
  std::unique_ptr<ServedModel> model;
  std::shared_ptr<Usage> usage = std::make_shared<Usage>();
  std::vector<Taker> waiting;
  std::atomic<double> progress{0.0};
  std::string problem;
  OrderedJson details;
  EngineStats before;  // counters of those that were unloaded

  Clock::duration idle() const {
    return Clock::now().time_since_epoch() - Clock::duration(usage->last.load());
  }
};

std::string_view state_name(ModelHost::State state) {
  constexpr std::string_view kNames[] = {"unloaded", "loading", "loaded", "failed"};
  return kNames[static_cast<size_t>(state)];
}

ModelHost::ModelHost(ModelHostOptions options) : options_(std::move(options)) {
  for (const std::string& name : options_.names) {
    entries_[name] = std::make_unique<Entry>();
    entries_[name]->name = name;
  }
  thread_ = std::thread([this] { work(); });
}

ModelHost::~ModelHost() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void ModelHost::acquire(const std::string& name, Taker take) {
  std::unique_lock lock(mutex_);
  const auto found = entries_.find(name.empty() ? options_.names.front() : name);
  if (found == entries_.end()) {
    lock.unlock();
    return take(Failure{{.what = "there is no model " + printable(name),
                         .where = "model",
                         .mend = "/v1/models lists them"}});
  }
  Entry& entry = *found->second;
  if (entry.state == State::kLoaded) {
    auto model = lease(entry);
    lock.unlock();
    return take(std::move(model));
  }
  if (stopping_ || entry.waiting.size() >= options_.most_waiting) {
    lock.unlock();
    return take(Failure{{.what = "too many requests wait for model " + printable(entry.name),
                         .where = "queue",
                         .mend = "try again later"}});
  }
  entry.waiting.push_back(std::move(take));
  if (entry.state == State::kLoading) return;
  entry.state = State::kLoading;
  to_load_.push_back(&entry);
  wake_.notify_all();
}

void ModelHost::preload(std::function<void(const Error&)> failed) {
  acquire(options_.names.front(), [failed = std::move(failed)](const auto& model) {
    if (!model.ok() && failed) failed(model.error());
  });
}

std::shared_ptr<const ServedModel> ModelHost::lease(Entry& entry) {
  ++entry.usage->holders;
  return {entry.model.get(), [usage = entry.usage](const ServedModel*) { usage->give_back(); }};
}

bool ModelHost::ready() const {
  const std::lock_guard lock(mutex_);
  const Entry& first = *entries_.at(options_.names.front());
  const bool was_loaded = !first.details.is_null() && first.state == State::kUnloaded;
  return first.state == State::kLoaded || was_loaded;
}

EngineStats ModelHost::stats(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const Entry& entry = *entries_.at(name);
  return entry.model ? with_counters(entry.model->backend->stats(), entry.before) : entry.before;
}

std::vector<ModelHost::Status> ModelHost::statuses() const {
  const std::lock_guard lock(mutex_);
  std::vector<Status> all;
  for (const std::string& name : options_.names) {
    const Entry& entry = *entries_.at(name);
    Status status{.name = name,
                  .state = entry.state,
                  .progress = entry.progress,
                  .problem = entry.problem,
                  .details = entry.details,
                  .stats = entry.before};
    if (entry.model) {
      status.bytes = entry.model->bytes;
      status.stats = with_counters(entry.model->backend->stats(), entry.before);
      if (entry.usage->holders == 0)
        status.idle_seconds =
            std::chrono::duration_cast<std::chrono::seconds>(entry.idle()).count();
    }
    all.push_back(std::move(status));
  }
  return all;
}

// The host's thread: loads what is asked for, and unloads what has been idle for long enough.
void ModelHost::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!to_load_.empty()) {
      Entry& entry = *to_load_.front();
      to_load_.pop_front();
      lock.unlock();
      load(entry);
      lock.lock();
    } else if (Entry* idle = idle_entry()) {
      add_counters(idle->before, idle->model->backend->stats());
      const std::unique_ptr<ServedModel> model = std::move(idle->model);
      idle->state = State::kUnloaded;
      lock.unlock();
      log(LogLevel::kInfo, "model " + model->name + " was idle and is unloaded");
    } else if (options_.idle_unload.count() > 0) {
      wake_.wait_until(lock, next_look());
    } else {
      wake_.wait(lock);
    }
    if (!lock.owns_lock()) lock.lock();
  }
  std::vector<Taker> left;
  for (auto& [name, entry] : entries_)
    for (Taker& take : entry->waiting) left.push_back(std::move(take));
  std::vector<std::unique_ptr<ServedModel>> models;
  for (auto& [name, entry] : entries_) models.push_back(std::move(entry->model));
  lock.unlock();
  for (const Taker& take : left)
    take(Failure{{.what = "the server is stopping", .where = "queue"}});
}

ModelHost::Entry* ModelHost::idle_entry() {
  if (options_.idle_unload.count() == 0) return nullptr;
  for (auto& [name, entry] : entries_)
    if (entry->state == State::kLoaded && entry->usage->holders == 0 &&
        entry->idle() >= options_.idle_unload)
      return entry.get();
  return nullptr;
}

// When a model could be idle for long enough, or it is worth looking again.
Clock::time_point ModelHost::next_look() const {
  return Clock::now() + std::min<Clock::duration>(options_.idle_unload, std::chrono::seconds(1));
}

void ModelHost::load(Entry& entry) {
  log(LogLevel::kInfo, "loading model " + entry.name);
  const ProgressSink progress = [this, &entry](const ProgressReport& report) {
    if (report.total > 0)
      entry.progress = static_cast<double>(report.done) / static_cast<double>(report.total);
    const std::lock_guard lock(mutex_);
    return !stopping_;
  };
  auto loaded = options_.load(entry.name, progress);
  std::vector<Taker> waiting;
  std::vector<std::shared_ptr<const ServedModel>> leases;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(entry.waiting);
    if (loaded.ok()) {
      entry.model = std::move(loaded).take_value();
      entry.details = entry.model->details;
      entry.state = State::kLoaded;
      entry.problem.clear();
      entry.usage->last = Clock::now().time_since_epoch().count();
      for (size_t i = 0; i < waiting.size(); ++i) leases.push_back(lease(entry));
    } else {
      entry.state = State::kFailed;
      entry.problem = loaded.error().message();
    }
  }
  if (!loaded.ok()) log(LogLevel::kError, "model " + entry.name + ": " + loaded.error().message());
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (i < leases.size())
      waiting[i](std::move(leases[i]));
    else
      waiting[i](Failure{{.what = "the model could not be loaded: " + loaded.error().message(),
                          .where = "loading"}});
  }
}

}  // namespace ponder
