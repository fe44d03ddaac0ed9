// What a run measured, for people and for programs.
#pragma once

#include <string>

#include "cli/answer.hpp"
#include "device/cpu.hpp"

namespace ponder {

struct RunStats {
  AnswerStats answer;
  double load_seconds = 0;
  uint64_t cache_bytes = 0;
  int64_t context = 0;  // positions of the cache
  Isa isa = Isa::kRef;
  int threads = 0;
  SamplingOptions sampling;
};

// A few lines, dim if `style`.
std::string stats_text(const RunStats& stats, bool style);
// One line: text, reasoning, tokens, finish_reason, stats.
std::string answer_json(const Answer& answer, const RunStats& stats);

}  // namespace ponder
