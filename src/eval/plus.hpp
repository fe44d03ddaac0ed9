// More tests for a suite of Python functions, from its right solutions: "plus (ours)". How they are
// found is told in guest/plus.py; EvalPlus (Liu et al. 2023) has the idea.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "eval/suite.hpp"

namespace ponder {

struct PlusOptions {
  uint64_t seed = 1;
  int most = 50;     // new inputs of a problem that show something
  int fill = 20;     // fewer than these are made up with others
  int tries = 1000;  // of a problem
  int threads = 1;
  ProgressSink progress = {};
};

struct PlusProblem {
  std::string id;
  int64_t recorded = 0;  // inputs of the suite's own tests
  int64_t added = 0;
  int64_t mutants = 0, shown_before = 0, shown = 0;  // told apart by the tests
  std::string why_not;                               // nothing was added
};

struct PlusSuite {
  std::vector<Json> records;          // of the file, with more tests; in its format
  std::vector<PlusProblem> problems;  // in the same order
};

// `file`: of the format HumanEval or MBPP, with solutions; any other is refused. A problem keeps
// its tests as they are where its solution does not pass with the new ones. The same seed gives the
// same bytes. Errors: the file's, no solutions, "stopped".
Result<PlusSuite> make_plus(const std::filesystem::path& file, const std::string& format,
                            const Sandbox& sandbox, const PlusOptions& options);

// JSON lines.
std::string plus_file(const PlusSuite& suite);

}  // namespace ponder
