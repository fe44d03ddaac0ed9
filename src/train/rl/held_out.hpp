// The problems of a recipe, those to learn from and those to be judged by, which never mix.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "train/recipe.hpp"
#include "train/rl/problems.hpp"
#include "train/rl/rl_options.hpp"

namespace ponder {

struct ProblemSplit {
  ProblemStream training;
  std::vector<Problem> held_out;  // [evaluation] problems of [[evaluation.task]], or of [[task]]
};

// `seed`: of the stream to learn from; the held-out problems have their own.
Result<ProblemSplit> split_problems(const Recipe& recipe, const EvaluationOptions& evaluation,
                                    uint64_t seed);

}  // namespace ponder
