// Several models by name: loaded when first asked for, unloaded when nobody asked for a while.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "serve/served_model.hpp"

namespace ponder {

struct ModelHostOptions {
  std::vector<std::string> names = {};  // the first is the one that is meant without a name
  // Called from the host's thread, for one model at a time.
  std::function<Result<std::unique_ptr<ServedModel>>(const std::string& name,
                                                     const ProgressSink& progress)>
      load = {};
  std::chrono::seconds idle_unload{0};  // 0: never
  size_t most_waiting = 256;            // requests that wait for a model to be loaded
};

class ModelHost {
 public:
  enum class State { kUnloaded, kLoading, kLoaded, kFailed };
  struct Status {
    std::string name;
    State state = State::kUnloaded;
    double progress = 0.0;  // of loading, 0 to 1
    std::string problem;    // why loading failed
    uint64_t bytes = 0;     // of memory
    OrderedJson details;    // since it was loaded first
    EngineStats stats;      // counters go on over unloading
    int64_t idle_seconds = 0;
  };
  using Taker = std::function<void(Result<std::shared_ptr<const ServedModel>>)>;

  explicit ModelHost(ModelHostOptions options);
  ~ModelHost();  // cancels what is unfinished

  // Calls `take` once: at once, or when the model is loaded, from the host's thread. The model
  // stays loaded while it is held. Errors: no such model (`where` is "model"), loading failed, too
  // many wait (`where` is "queue").
  void acquire(const std::string& name, Taker take);

  // Loads the first model before anybody asks for it. `failed` is called, from the host's thread,
  // if that is not possible.
  void preload(std::function<void(const Error&)> failed = {});
  // Whether the first model is loaded, or was and can be again.
  bool ready() const;
  std::vector<Status> statuses() const;
  EngineStats stats(const std::string& name) const;  // as in Status
  const std::vector<std::string>& names() const { return options_.names; }

 private:
  // Counts who holds a model. Outlives the host, as the last holder may be one of its threads.
  struct Usage;
  struct Entry;

  void work();
  void load(Entry& entry);
  Entry* idle_entry();
  std::shared_ptr<const ServedModel> lease(Entry& entry);
  std::chrono::steady_clock::time_point next_look() const;

  ModelHostOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, std::unique_ptr<Entry>> entries_;
  std::deque<Entry*> to_load_;
  bool stopping_ = false;
  std::thread thread_;
};

std::string_view state_name(ModelHost::State state);  // "unloaded", "loading" …

}  // namespace ponder
