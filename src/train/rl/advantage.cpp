#include "train/rl/advantage.hpp"

#include <algorithm>
#include <cmath>

namespace ponder {
namespace {

// Below this a deviation is rounding, not a difference.
constexpr double kLeastDeviation = 1e-9;

}  // namespace

Result<Baseline> baseline_by_name(std::string_view name) {
  static constexpr std::pair<std::string_view, Baseline> kAll[] = {
      {"group", Baseline::kGroup},
      {"group_mean", Baseline::kGroupMean},
      {"leave_one_out", Baseline::kLeaveOneOut},
      {"batch", Baseline::kBatch}};
  for (const auto& [known, kind] : kAll)
    if (known == name) return kind;
  return Failure{{.what = "unknown baseline \"" + std::string(name) + "\"",
                  .mend = "use group, group_mean, leave_one_out or batch"}};
}

std::vector<double> group_advantages(std::span<const std::optional<double>> rewards,
                                     Baseline baseline) {
  double sum = 0.0, squares = 0.0, count = 0.0;
  for (const auto& reward : rewards) {
    if (!reward) continue;
    sum += *reward;
    count += 1.0;
  }
  const double mean = count > 0.0 ? sum / count : 0.0;
  for (const auto& reward : rewards)
    if (reward) squares += (*reward - mean) * (*reward - mean);
  const double deviation = count > 0.0 ? std::sqrt(squares / count) : 0.0;
  const auto advantage = [&](double reward) {
    switch (baseline) {
      case Baseline::kGroup:
        return deviation > kLeastDeviation ? (reward - mean) / deviation : 0.0;
      case Baseline::kGroupMean:
        return reward - mean;
      case Baseline::kLeaveOneOut:
        return count > 1.0 ? reward - (sum - reward) / (count - 1.0) : 0.0;
      case Baseline::kBatch:
        return reward;
    }
    return 0.0;
  };
  std::vector<double> advantages;
  for (const auto& reward : rewards) advantages.push_back(reward ? advantage(*reward) : 0.0);
  return advantages;
}

bool differs(std::span<const std::optional<double>> rewards) {
  std::optional<double> first;
  for (const auto& reward : rewards) {
    if (!reward) continue;
    if (first && std::abs(*reward - *first) > kLeastDeviation) return true;
    first = first ? first : reward;
  }
  return false;
}

std::vector<double> returns_with_kl(double reward, std::span<const double> kl, double weight) {
  std::vector<double> returns(kl.size());
  double rest = 0.0;
  for (size_t i = kl.size(); i-- > 0;) {
    rest += kl[i];
    returns[i] = reward - weight * rest;
  }
  return returns;
}

void normalise(std::span<std::vector<double>> advantages) {
  double sum = 0.0, squares = 0.0, count = 0.0;
  for (const auto& answer : advantages) {
    for (const double value : answer) sum += value;
    count += static_cast<double>(answer.size());
  }
  if (count == 0.0) return;
  const double mean = sum / count;
  for (const auto& answer : advantages)
    for (const double value : answer) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / count);
  const double scale = deviation > kLeastDeviation ? 1.0 / deviation : 1.0;
  for (auto& answer : advantages)
    for (double& value : answer) value = (value - mean) * scale;
}

double overlong_penalty(int64_t tokens, int64_t most, int64_t buffer) {
  const int64_t over = tokens - (most - buffer);
  if (over <= 0 || buffer <= 0) return tokens > most ? -1.0 : 0.0;
  return std::max(-1.0, -static_cast<double>(over) / static_cast<double>(buffer));
}

}  // namespace ponder
