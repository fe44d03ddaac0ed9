// How a request becomes boxes, and their reports a verdict.
#pragma once

#include <string>

#include "judge/sandbox/box.hpp"
#include "judge/sandbox/sandbox.hpp"

namespace ponder {

struct Toolchain {
  const BoxRunner& runner;
  std::string python, compiler;
  double slowness = 1;
};

RunResult judge_python(const Toolchain& tools, const RunRequest& request);
RunResult judge_cpp(const Toolchain& tools, const RunRequest& request);

// Limits of a box of the candidate's.
BoxLimits box_limits(const RunLimits& limits, double slowness);
// What the report alone says: whether it ended well, and if not how. A pass is for others to find.
RunResult result_of(const BoxReport& report, const BoxLimits& limits);
// Runs `program` on every case, or once if there is none, up to the first that does not pass.
RunResult judge_cases(const Toolchain& tools, const RunRequest& request, const BoxJob& program);

// The verdict on a program that ended with an error message of Python: its own syntax errors.
bool is_syntax_error(std::string_view err);

}  // namespace ponder
