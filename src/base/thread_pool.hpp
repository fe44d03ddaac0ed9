// A fixed set of threads for data-parallel loops inside kernels.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace ponder {

// Runs tasks 0 … n−1 of a loop on all threads, the caller's included. Which thread runs a task is
// not fixed, so a task must write only what is its own; results then do not depend on the number of
// threads. Between loops workers spin for a short while, then sleep.
class ThreadPool {
 public:
  // threads ≥ 1 counts the caller; 0 = one per CPU this process may use.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // body(task, thread) for each task in [0, tasks); thread in [0, size()). Returns when all are
  // done. Must not be called from inside a body, nor from two threads at once.
  template <typename Body>
  void run(int64_t tasks, Body&& body) {
    run_erased(
        tasks,
        [](void* context, int64_t task, int thread) {
          (*static_cast<std::remove_reference_t<Body>*>(context))(task, thread);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

 private:
  using Call = void (*)(void* context, int64_t task, int thread);
  struct Loop {
    Call call = nullptr;
    void* context = nullptr;
    int64_t tasks = 0;
  };

  void run_erased(int64_t tasks, Call call, void* context);
  void work(int thread);
  void take_tasks(int thread);

  std::vector<std::thread> workers_;
  Loop loop_;
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint64_t> generation_{0};
  alignas(64) std::atomic<int> busy_{0};
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<bool> quit_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

// CPUs that this process may run on (≥ 1).
int available_cpus();

}  // namespace ponder
