#include "train/schedule.hpp"

#include <array>
#include <cmath>
#include <numbers>

#include "train/recipe.hpp"

namespace ponder {

double Schedule::at(int64_t step) const {
  if (step < warmup) return rate * static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (shape == ScheduleShape::kConstant) return rate;
  const int64_t last = steps - 1;
  if (step >= last || last <= warmup) return step >= last && last > warmup ? final_rate : rate;
  const double share = static_cast<double>(step - warmup) / static_cast<double>(last - warmup);
  const double left = shape == ScheduleShape::kLinear
                          ? 1.0 - share
                          : 0.5 * (1.0 + std::cos(std::numbers::pi * share));
  return final_rate + (rate - final_rate) * left;
}

Result<Schedule> read_schedule(const Recipe& optimizer, int64_t steps, ScheduleShape shape) {
  constexpr std::array<std::string_view, 3> kNames = {"constant", "linear", "cosine"};
  Schedule schedule{.steps = steps};
  const std::string name(kNames[static_cast<size_t>(shape)]);
  const std::string chosen = PONDER_TRY(optimizer.word("schedule", name, kNames));
  for (size_t i = 0; i < kNames.size(); ++i)
    if (chosen == kNames[i]) schedule.shape = static_cast<ScheduleShape>(i);
  schedule.rate = PONDER_TRY(optimizer.number("rate", std::nullopt, {.least = 0, .most = 10}));
  schedule.final_rate =
      PONDER_TRY(optimizer.number("final_rate", schedule.rate / 10, {.least = 0, .most = 10}));
  schedule.warmup = PONDER_TRY(optimizer.integer("warmup", 0, {.least = 0, .most = 1'000'000'000}));
  return schedule;
}

}  // namespace ponder
