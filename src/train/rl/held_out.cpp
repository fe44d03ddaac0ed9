#include "train/rl/held_out.hpp"

namespace ponder {

Result<ProblemSplit> split_problems(const Recipe& recipe, const EvaluationOptions& evaluation,
                                    uint64_t seed) {
  const Recipe own = recipe.table("evaluation");
  auto judged = PONDER_TRY(own.tables("task")).empty()
                    ? PONDER_TRY(ProblemStream::read_sources(recipe))
                    : PONDER_TRY(ProblemStream::read_sources(own));
  auto stream = PONDER_TRY(ProblemStream::create(std::move(judged), evaluation.seed));
  std::vector<Problem> held_out;
  std::set<std::string> prompts;
  // A small level may not have as many different problems as are asked for.
  for (int64_t i = 0; i < 4 * evaluation.problems; ++i) {
    if (std::ssize(held_out) == evaluation.problems) break;
    Problem problem = PONDER_TRY(stream.problem(i));
    if (prompts.insert(problem.prompt).second) held_out.push_back(std::move(problem));
  }
  auto sources = PONDER_TRY(ProblemStream::read_sources(recipe));
  return ProblemSplit{
      PONDER_TRY(ProblemStream::create(std::move(sources), seed, std::move(prompts))),
      std::move(held_out)};
}

}  // namespace ponder
