// The engine's thread: which sequences go through the model together, and what becomes of them.
// Private to this module; engine.hpp is what others use.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/engine.hpp"
#include "engine/fair_queue.hpp"
#include "engine/prefix_tree.hpp"
#include "engine/work.hpp"

namespace ponder {

class Engine::Scheduler {
 public:
  Scheduler(const Context& context, const Model& model, const EngineOptions& options,
            std::shared_ptr<KvPool> pool, std::shared_ptr<KvPool> draft_pool);
  ~Scheduler();

  Submitted submit(std::shared_ptr<Job> job);
  void cancel(uint64_t id);
  EngineStats stats() const;
  // Runs `task` on the engine's thread, between two steps, and waits for it.
  void run(const std::function<void()>& task);
  // Of tasks.
  PrefixTree& tree() { return tree_; }
  KvPool& pool() { return *pool_; }

 private:
  using Clock = std::chrono::steady_clock;
  using Works = std::list<std::unique_ptr<Work>>;

  void loop();
  bool take_inbox();  // false: stop
  void end_job(uint64_t id);
  void step();

  void admit();
  bool waits_for_prefix(const Work& work) const;
  bool start(Work& work);
  Result<std::unique_ptr<Sequence>> make_sequence();
  void keep_prefix(Work& work, int64_t length);
  void release(Work& work);
  void finish(Work& work, FinishReason reason);
  void fail(Work& work, const Error& error);
  void remove_done();

  void plan();
  void share_out(std::span<Work* const> works);
  void plan_one(Work& work);
  bool make_room(Work& work, int64_t tokens);
  void requeue_preempted();
  void set_logits();
  void account(Work& work, const SequenceStep& step);
  void choose_all();
  void take_prompt_rows(Work& work, std::span<const float> rows) const;
  void take_embedding(Work& work, const SequenceStep& step) const;
  void emit(Work& work);
  void emit_embedding(Work& work);
  void publish();

  const Context* context_;
  const Model* model_;
  EngineOptions options_;
  std::shared_ptr<KvPool> pool_;
  std::shared_ptr<KvPool> draft_pool_;  // of MTP blocks; or none
  PrefixTree tree_;

  // Of the engine's thread.
  FairQueue waiting_;
  Works running_;
  std::vector<Work*> planned_;
  std::vector<SequenceStep> steps_;  // of planned_
  Buffer<float> logits_;             // (rows of all steps, V)
  EngineStats counts_;
  int64_t draft_rows_ = 0;  // guesses that each sequence may have in this step

  // Of everybody.
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::shared_ptr<Job>> inbox_;
  std::vector<uint64_t> cancels_;
  std::deque<std::function<void()>> tasks_;
  int64_t queued_ = 0;  // works in inbox_ and waiting_
  bool stopping_ = false;
  uint64_t last_id_ = 0;
  uint64_t only_ = 0;  // the job whose works are all that run, or 0
  EngineStats stats_;
  std::atomic<bool> stop_{false};

  std::thread thread_;
};

}  // namespace ponder
