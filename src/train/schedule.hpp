// How fast a model learns at each step.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace ponder {

class Recipe;

enum class ScheduleShape { kConstant, kLinear, kCosine };

// The rate climbs from 0 over `warmup` steps, then stays, or falls to `final_rate` at the last of
// `steps`, along a line or half a cosine.
struct Schedule {
  ScheduleShape shape = ScheduleShape::kCosine;
  double rate = 1e-4;
  double final_rate = 0.0;
  int64_t warmup = 0;
  int64_t steps = 1;

  double at(int64_t step) const;  // step ≥ 0, counted from 0
};

// Keys rate, final_rate, warmup, schedule of a recipe's [optimizer]; `shape` is what it has when
// none is named.
Result<Schedule> read_schedule(const Recipe& optimizer, int64_t steps, ScheduleShape shape);

}  // namespace ponder
