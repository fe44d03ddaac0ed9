// Where the problems of a run come from: tasks that make their own, and files of the user's.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "judge/problem.hpp"
#include "train/recipe.hpp"

namespace ponder {

// A line of a problem set: {"prompt" (or "question", "problem"), "answer", "task", "id", "level"};
// all but the prompt may be missing. Whatever else it has goes to Problem::extra. `task`: of lines
// that name none.
Result<Problem> problem_from_json(const Json& object, const std::string& task,
                                  const std::string& where);
// One problem a line of JSON.
Result<std::vector<Problem>> read_problems(const std::filesystem::path& path,
                                           const std::string& task);

// An endless stream of problems, mixed from several sources by weight. Problem n depends on the
// sources, the seed and n alone.
class ProblemStream {
 public:
  struct Source {
    const Task* task = nullptr;     // that makes the problems; or
    std::vector<Problem> problems;  // those of a file, in another order in each epoch
    std::vector<int> levels;        // of what the task makes; one is drawn for each problem
    double weight = 1.0;
  };
  // Problems whose prompt is in `excluded` never come: they are held out. Errors: nothing is left.
  static Result<ProblemStream> create(std::vector<Source> sources, uint64_t seed,
                                      std::set<std::string> excluded = {});
  // From a recipe's [[task]]: name and levels; or file and, for lines without one, name. weight.
  static Result<std::vector<Source>> read_sources(const Recipe& recipe);

  // From one thread at a time. Errors: so much is held out that no other problem was found.
  Result<Problem> problem(int64_t index);
  // Whether any problem may be of this task.
  bool has_task(std::string_view name) const;

 private:
  struct Pick {
    size_t source;
    int64_t number;  // how many came from it before
  };
  ProblemStream() = default;
  Result<Problem> made(const Source& source, size_t index, int64_t number) const;

  std::vector<Source> sources_;
  uint64_t seed_ = 0;
  std::set<std::string> excluded_;
  std::vector<int64_t> counts_;  // of each source, over picks_
  std::vector<Pick> picks_;      // of problems 0, 1, …
  double weight_ = 0.0;
  // The order of a file's problems in the epoch that was asked for last.
  struct Order {
    int64_t epoch = -1;
    std::vector<uint32_t> order;
  };
  std::vector<Order> orders_;
};

}  // namespace ponder
