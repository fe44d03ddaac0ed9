#include "judge/extract.hpp"
#include "judge/tasks/tasks.hpp"

namespace ponder {

Judgement judge_as_maths(const Problem& problem, std::string_view text) {
  const ExtractedAnswer answer = extract_answer(text);
  if (!answer.found()) return no_answer(answer.unfinished);
  if (answer.text == problem.answer) return {Verdict::kPass, answer.text, ""};
  return {Verdict::kWrong, answer.text, "the answer is " + problem.answer};
}

}  // namespace ponder
