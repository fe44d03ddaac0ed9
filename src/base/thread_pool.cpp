#include "base/thread_pool.hpp"

#include <sched.h>

#include "base/macros.hpp"

namespace ponder {
namespace {

// Rounds of `pause` before a waiting worker goes to sleep: about 50 µs to 200 µs by CPU.
constexpr int kSpins = 4000;

inline void relax() { __builtin_ia32_pause(); }

}  // namespace

int available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  const int count = CPU_COUNT(&set);
  return count > 0 ? count : 1;
}

ThreadPool::ThreadPool(int threads) {
  PONDER_CHECK(threads >= 0);
  const int total = threads == 0 ? available_cpus() : threads;
  workers_.reserve(static_cast<size_t>(total - 1));
  for (int thread = 1; thread < total; ++thread)
    workers_.emplace_back([this, thread] { work(thread); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    quit_.store(true);
    generation_.fetch_add(1);
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::run_erased(int64_t tasks, Call call, void* context) {
  if (tasks <= 0) return;
  loop_ = {call, context, tasks};
  next_.store(0, std::memory_order_relaxed);
  if (workers_.empty() || tasks == 1) {
    take_tasks(0);
    return;
  }
  busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  generation_.fetch_add(1);  // seq_cst: publishes loop_, next_ and busy_, ordered before sleepers_
  if (sleepers_.load() > 0) {
    { const std::lock_guard lock(mutex_); }
    wake_.notify_all();
  }
  take_tasks(0);
  for (int spins = 0; busy_.load(std::memory_order_acquire) != 0; ++spins) {
    if (spins < kSpins) {
      relax();
    } else {
      sched_yield();
    }
  }
}

void ThreadPool::take_tasks(int thread) {
  for (;;) {
    const int64_t task = next_.fetch_add(1, std::memory_order_relaxed);
    if (task >= loop_.tasks) return;
    loop_.call(loop_.context, task, thread);
  }
}

void ThreadPool::work(int thread) {
  uint64_t seen = 0;
  for (;;) {
    for (int spins = 0; generation_.load(std::memory_order_acquire) == seen && spins < kSpins;
         ++spins)
      relax();
    if (generation_.load(std::memory_order_acquire) == seen) {
      std::unique_lock lock(mutex_);
      sleepers_.fetch_add(1);
      wake_.wait(lock, [&] { return generation_.load() != seen; });
      sleepers_.fetch_sub(1);
    }
    ++seen;
    if (quit_.load()) return;
    take_tasks(thread);
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace ponder
