// The file of a run: its problems, every answer as soon as it is there, verdicts. A killed run goes
// on from it. One process writes at a time; others may read.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "eval/answering.hpp"
#include "judge/problem.hpp"

struct sqlite3;

namespace ponder {

// Sample `sample` of the problem with this number, both from 0.
struct SampleKey {
  int64_t problem = 0;
  int64_t sample = 0;
  auto operator<=>(const SampleKey&) const = default;
};

struct StoredAnswer {
  SampleKey key;
  Reply reply;
  std::optional<double> dollars;  // nothing where no price was known
  std::optional<Judgement> judgement;
};

struct StoredProblem {
  Problem problem;
  Json contamination;  // eval/contamination.hpp; null: not looked for
};

struct StoredFailure {
  SampleKey key;
  std::string error;
};

class RunStore {
 public:
  // DIR/run.sqlite. create(): errors if a run is there, open(): if none is. Both lock the folder.
  static Result<std::unique_ptr<RunStore>> create(const std::filesystem::path& folder);
  static Result<std::unique_ptr<RunStore>> open(const std::filesystem::path& folder);
  // Without the lock, to look at it only.
  static Result<std::unique_ptr<RunStore>> read(const std::filesystem::path& folder);
  static bool exists(const std::filesystem::path& folder);
  // Of everything, as it is now, into another folder; errors if a run is there. The copy is locked.
  Result<std::unique_ptr<RunStore>> copy(const std::filesystem::path& folder);
  ~RunStore();

  // All may be called from many threads. Null if there is no such note.
  Result<void> set_note(const std::string& name, const OrderedJson& value);
  Result<OrderedJson> note(const std::string& name);

  Result<void> set_problems(const std::vector<StoredProblem>& problems);
  Result<std::vector<StoredProblem>> problems();

  // The question is about to be sent. Its answer or failure takes this back.
  Result<void> begin(SampleKey key);
  // Samples that were under way when the run was killed; they may have been paid for.
  Result<std::vector<SampleKey>> interrupted();
  Result<void> set_answer(SampleKey key, const Reply& reply, std::optional<double> dollars);
  Result<void> set_failure(SampleKey key, const std::string& error, int64_t lost_tokens);
  Result<void> withdraw(SampleKey key);  // it was not asked after all
  Result<void> set_judgement(SampleKey key, const Judgement& judgement);
  Result<void> forget_judgements();
  // Time that answering took, of this process; with the same id again: instead.
  Result<void> set_session(int64_t id, double seconds);
  Result<int64_t> new_session();
  Result<double> session_seconds();

  Result<std::set<SampleKey>> answered();
  // Of one problem and sample, or of all (−1), by key. Without texts if they are not needed.
  Result<std::vector<StoredAnswer>> answers(SampleKey key = {-1, -1}, bool texts = true);
  Result<std::vector<StoredFailure>> failures();
  Result<double> dollars();       // paid so far
  Result<int64_t> lost_tokens();  // received in attempts that were cut

 private:
  class Statement;
  RunStore() = default;
  static Result<std::unique_ptr<RunStore>> connect(const std::filesystem::path& folder, int flags,
                                                   bool lock);
  Result<void> execute(const char* sql);
  Failure failure() const;

  std::mutex mutex_;
  sqlite3* database_ = nullptr;
  int lock_ = -1;  // descriptor
  std::filesystem::path file_;
};

}  // namespace ponder
