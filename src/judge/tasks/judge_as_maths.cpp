#include "judge/extract.hpp"
#include "judge/maths/maths.hpp"
#include "judge/tasks/tasks.hpp"

namespace ponder {

Judgement judge_as_maths(const Problem& problem, std::string_view text) {
  const ExtractedAnswer answer = extract_answer(text);
  if (!answer.found()) return no_answer(answer.unfinished);
  switch (compare_maths(problem.answer, answer.text)) {
    case Equality::kEqual:
      return {Verdict::kPass, answer.text, ""};
    case Equality::kUnequal:
      return {Verdict::kWrong, answer.text, "the answer is " + problem.answer};
    case Equality::kUndecided:
      break;
  }
  return {Verdict::kUndecided, answer.text, "cannot tell whether it is " + problem.answer};
}

namespace {

class MathsTask : public Task {
 public:
  std::string_view name() const override { return "maths"; }
  Judgement judge(const Problem& problem, std::string_view text, const Sandbox*) const override {
    return judge_as_maths(problem, text);
  }
};

}  // namespace

std::unique_ptr<const Task> make_maths_task() { return std::make_unique<MathsTask>(); }

}  // namespace ponder
