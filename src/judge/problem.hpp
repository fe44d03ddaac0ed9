// A problem with an answer that can be verified, and the tasks that such problems come from.
// Rewards of the trainer and suites of the evaluation use the same.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/json.hpp"
#include "judge/verdict.hpp"

namespace ponder {

class Sandbox;  // judge/sandbox/sandbox.hpp

struct Problem {
  std::string id;      // unique in its set
  std::string task;    // name of the Task that judges it: "arithmetic", "maths", "code" …
  std::string prompt;  // what the model is asked, without instructions of a template
  std::string answer;  // the reference answer, as text; empty for code
  Json extra;          // what else the task needs: numbers of Countdown, tests, choices …
  int level = 0;       // difficulty, 0 the easiest
};

// How problems of one kind are made and judged. Stateless; every function may be called from many
// threads.
class Task {
 public:
  virtual ~Task() = default;
  virtual std::string_view name() const = 0;
  virtual int levels() const { return 0; }  // that make() knows; 0: has no generator
  // Problem number `index` of the stream of `seed`: a pure function of its arguments. Only with
  // 0 ≤ level < levels().
  virtual Problem make(uint64_t seed, uint64_t index, int level) const;
  // A chain of thought, without tags, that leads to the problem's answer; empty where the task
  // has none, and for problems that make() did not make.
  virtual std::string worked(const Problem&) const { return {}; }
  // `text`: the whole answer of the model; thoughts are stripped here. Code needs `sandbox`
  // (kInfra without one); others ignore it. Bounded in steps, whatever the text.
  virtual Judgement judge(const Problem& problem, std::string_view text,
                          const Sandbox* sandbox) const = 0;
};

// nullptr if there is no such task.
const Task* find_task(std::string_view name);
std::vector<std::string_view> task_names();

}  // namespace ponder
