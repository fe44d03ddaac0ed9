// What became of an answer: the words that rewards, evaluation and reports share.
#pragma once

#include <string>
#include <string_view>

namespace ponder {

enum class Verdict {
  kPass,
  kWrong,         // ran, or was read, and is not the answer
  kNoAnswer,      // nothing in the text that could be judged
  kUndecided,     // the checker of maths cannot tell
  kRuntimeError,  // of the candidate: exception, signal, exit status
  kTimeout,
  kMemory,
  kCompileError,
  kInfra,  // our own failure: says nothing about the answer, never counts as wrong
};

// "pass", "wrong", "no_answer", "undecided", "runtime_error", "timeout", "memory",
// "compile_error", "infra".
std::string_view verdict_name(Verdict verdict);

struct Judgement {
  Verdict verdict = Verdict::kNoAnswer;
  std::string extracted;  // what was taken from the text as its answer
  std::string why;        // for people; empty with kPass
};

}  // namespace ponder
