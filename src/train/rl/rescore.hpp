// `ponder train rescore`: judges the stored answers of a run again, with other rewards if wanted.
// So a judge that was mended, or a reward that was hacked, shows what it would have said from the
// start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "train/rl/reward.hpp"

namespace ponder {

// What rewards were when a run began, in DIR/reward.toml; rescore reads it back.
Result<void> write_reward_file(const std::filesystem::path& run, const RewardOptions& options);
// `sets`: "reward.accuracy=0.5", instead of the file.
Result<RewardOptions> read_reward_file(const std::filesystem::path& run,
                                       std::span<const std::string> sets);

struct StepScores {
  int64_t step = 0, answers = 0;
  int64_t changed = 0;  // answers with another verdict
  double accuracy_before = 0.0, accuracy = 0.0, reward_before = 0.0, reward = 0.0;  // means
};

// An answer that is judged otherwise than it was.
struct ChangedAnswer {
  int64_t step = 0;
  std::string prompt, text, answer, before, now, why;
};

struct RescoreOptions {
  std::vector<std::string> sets;
  int threads = 0;
  ProgressSink progress = {};  // unit "steps"
  std::function<void(const StepScores&)> on_step = {};
  std::function<void(const ChangedAnswer&)> on_change = {};  // in order
};

Result<void> rescore(const std::filesystem::path& run, const RescoreOptions& options);

}  // namespace ponder
