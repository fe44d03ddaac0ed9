#include "judge/verdict.hpp"

namespace ponder {

std::string_view verdict_name(Verdict verdict) {
  constexpr std::string_view kNames[] = {"pass",      "wrong",         "no_answer",
                                         "undecided", "runtime_error", "timeout",
                                         "memory",    "compile_error", "infra"};
  return kNames[static_cast<int>(verdict)];
}

}  // namespace ponder
