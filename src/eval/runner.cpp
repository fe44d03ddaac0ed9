#include "eval/runner.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/rng.hpp"

namespace ponder {
namespace {

using Clock = std::chrono::steady_clock;

// Joins on every way out.
class Threads {
 public:
  ~Threads() { join(); }
  void start(std::function<void()> work) { all_.emplace_back(std::move(work)); }
  void join() {
    for (std::thread& thread : all_)
      if (thread.joinable()) thread.join();
  }

 private:
  std::vector<std::thread> all_;
};

// What the asking threads share.
class Asking {
 public:
  Asking(const AskPlan& plan, std::vector<SampleKey> todo, int64_t done, double spent)
      : plan_(plan), todo_(std::move(todo)), done_(done), budget_(plan.price, plan.budget, spent) {}

  Result<AskOutcome> run();

 private:
  void work();
  std::optional<SampleKey> take(const std::string*& text);
  void finish(SampleKey key, Asked asked);
  void end(Result<void> why);
  const std::string& question(SampleKey key) const {
    return questions_[static_cast<size_t>(key.problem)];
  }

  const AskPlan& plan_;
  std::vector<SampleKey> todo_;
  std::vector<std::string> questions_;
  std::mutex mutex_;  // guards the rest
  std::condition_variable changed_;
  size_t next_ = 0;
  int64_t done_, asked_ = 0;
  int active_ = 0;     // threads
  int under_way_ = 0;  // questions
  Budget budget_;
  bool closing_ = false;           // no new questions
  std::atomic<bool> halt_{false};  // and those under way are given up
  AskOutcome outcome_;
  std::optional<Error> broken_;  // the store
};

void Asking::end(Result<void> why) {
  if (!why.ok() && !broken_) broken_ = why.error();
  closing_ = true;
}

std::optional<SampleKey> Asking::take(const std::string*& text) {
  std::unique_lock lock(mutex_);
  while (!closing_ && next_ < todo_.size()) {
    const SampleKey key = todo_[next_];
    text = &question(key);
    if (budget_.reserve(std::ssize(*text), plan_.options.max_tokens)) {
      ++next_;
      ++under_way_;
      return key;
    }
    if (under_way_ == 0) {  // nothing will be given back
      outcome_.over_budget = true;
      break;
    }
    changed_.wait(lock);
  }
  return std::nullopt;
}

void Asking::work() {
  const std::string* text = nullptr;
  while (const auto key = take(text)) {
    if (auto begun = plan_.store->begin(*key); !begun.ok()) {
      const std::lock_guard lock(mutex_);
      end(std::move(begun));
      break;
    }
    const std::string& id = plan_.suite->problems[static_cast<size_t>(key->problem)].id;
    const uint64_t seed = sample_seed(plan_.seed, id, key->sample);
    char unique[64];
    std::snprintf(unique, sizeof unique, "ponder-%016llx-%lld",
                  static_cast<unsigned long long>(seed), static_cast<long long>(key->sample));
    finish(*key,
           plan_.model->ask({.id = unique, .prompt = *text, .seed = seed}, plan_.options, halt_));
  }
  const std::lock_guard lock(mutex_);
  --active_;
  changed_.notify_all();
}

void Asking::finish(SampleKey key, Asked asked) {
  std::optional<double> dollars;
  if (asked.reply && plan_.price != nullptr) dollars = token_cost(*plan_.price, asked.reply->usage);
  Result<void> stored =
      asked.reply     ? plan_.store->set_answer(key, *asked.reply, dollars)
      : asked.stopped ? plan_.store->withdraw(key)
                      : plan_.store->set_failure(key, asked.error.message(), asked.lost_tokens);
  const std::lock_guard lock(mutex_);
  --under_way_;
  budget_.settle(std::ssize(question(key)), plan_.options.max_tokens, dollars.value_or(0.0));
  if (asked.reply) {
    ++done_;
    ++asked_;
  } else if (!asked.stopped) {
    outcome_.failure = asked.error;
    if (asked.fatal) closing_ = true;
  }
  if (!stored.ok()) end(std::move(stored));
  changed_.notify_all();
}

Result<AskOutcome> Asking::run() {
  const int64_t total = done_ + std::ssize(todo_);
  for (const Problem& problem : plan_.suite->problems)
    questions_.push_back(question_text(*plan_.suite, problem));
  const int64_t session = PONDER_TRY(plan_.store->new_session());
  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  Threads threads;
  const int64_t workers = std::min<int64_t>(plan_.model->concurrency(), std::ssize(todo_));
  active_ = static_cast<int>(workers);
  for (int64_t i = 0; i < workers; ++i) threads.start([this] { work(); });
  std::unique_lock lock(mutex_);
  int64_t saved = -1;
  while (active_ > 0) {
    changed_.wait_for(lock, std::chrono::milliseconds(100));
    const ProgressReport report{.what = "answering",
                                .done = static_cast<uint64_t>(done_),
                                .total = static_cast<uint64_t>(total),
                                .unit = "answers"};
    if (plan_.progress) plan_.progress(report);
    const int stop = plan_.stop ? plan_.stop() : 0;
    if (stop > 0) outcome_.stopped = closing_ = true;
    if (closing_) changed_.notify_all();
    if (stop > 1) halt_ = true;
    if (std::exchange(saved, asked_) != asked_)
      if (auto kept = plan_.store->set_session(session, seconds()); !kept.ok()) end(kept);
  }
  lock.unlock();
  threads.join();
  PONDER_TRY(plan_.store->set_session(session, seconds()));
  if (broken_) return Failure{*broken_};
  outcome_.answered = asked_;
  outcome_.missing = total - done_;
  return outcome_;
}

}  // namespace

bool Budget::reserve(int64_t prompt_bytes, int64_t max_tokens) {
  if (limit_ <= 0.0 || price_ == nullptr) return true;
  const double most = most_cost(*price_, prompt_bytes, max_tokens);
  if (spent_ + reserved_ + most > limit_) return false;
  reserved_ += most;
  return true;
}

void Budget::settle(int64_t prompt_bytes, int64_t max_tokens, double dollars) {
  if (limit_ <= 0.0 || price_ == nullptr) return;
  reserved_ -= most_cost(*price_, prompt_bytes, max_tokens);
  spent_ += dollars;
}

uint64_t sample_seed(uint64_t seed, const std::string& problem, int64_t sample) {
  Rng rng(seed, stable_hash(problem), static_cast<uint64_t>(sample));
  return rng.next_u64() >> 33;  // 31 bits: every server takes them
}

Result<AskOutcome> ask_all(const AskPlan& plan) {
  if (plan.budget > 0.0 && plan.price == nullptr)
    return Failure{{.what = "a budget needs to know what tokens cost",
                    .where = "--budget",
                    .mend = "give --prices FILE with an entry of this model"}};
  const std::set<SampleKey> answered = PONDER_TRY(plan.store->answered());
  const int64_t problems = std::ssize(plan.suite->problems);
  std::vector<SampleKey> todo;
  int64_t done = 0;
  for (int64_t problem = 0; problem < problems; ++problem)
    for (int64_t sample = 0; sample < plan.samples; ++sample) {
      const bool have = answered.contains({problem, sample});
      done += have;
      if (!have) todo.push_back({problem, sample});
    }
  const double spent = PONDER_TRY(plan.store->dollars());
  if (todo.empty()) return AskOutcome{};
  return Asking(plan, std::move(todo), done, spent).run();
}

Result<void> judge_all(const JudgePlan& plan) {
  std::vector<SampleKey> todo;
  for (const StoredAnswer& answer : PONDER_TRY(plan.store->answers({-1, -1}, false))) {
    const bool open = !answer.judgement || answer.judgement->verdict == Verdict::kInfra;
    if (open || plan.again) todo.push_back(answer.key);
  }
  std::mutex mutex;
  std::condition_variable changed;
  size_t next = 0, done = 0;
  bool halt = false;
  int active = std::max(1, plan.threads);
  std::optional<Error> broken;
  const auto judge_one = [&](SampleKey key) -> Result<void> {
    const auto answers = PONDER_TRY(plan.store->answers(key));
    const Problem& problem = (*plan.problems)[static_cast<size_t>(key.problem)].problem;
    return plan.store->set_judgement(key, plan.judge(problem, answers.front().reply.text));
  };
  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (!halt && next < todo.size()) {
      const SampleKey key = todo[next++];
      lock.unlock();
      const auto judged = judge_one(key);
      lock.lock();
      ++done;
      if (!judged.ok()) broken = judged.error(), halt = true;
      changed.notify_all();
    }
    --active;
    changed.notify_all();
  };
  Threads threads;
  for (int i = active; i > 0; --i) threads.start(work);
  std::unique_lock lock(mutex);
  bool stopped = false;
  while (active > 0) {
    changed.wait_for(lock, std::chrono::milliseconds(100));
    const ProgressReport report{
        .what = "judging", .done = done, .total = todo.size(), .unit = "verdicts"};
    if (plan.progress && !plan.progress(report)) stopped = halt = true;
  }
  lock.unlock();
  threads.join();
  if (broken) return Failure{*broken};
  if (stopped) return Failure{{.what = "stopped"}};
  return {};
}

}  // namespace ponder
