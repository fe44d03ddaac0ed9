// The stages by name: a line for each way of training.
#include <array>

#include "train/rl/rl_stage.hpp"
#include "train/run.hpp"
#include "train/supervised.hpp"

namespace ponder {

std::span<const StageEntry> stage_entries() {
  static constexpr std::array kEntries = {
      StageEntry{"pretrain", "Learn to predict text", make_pretrain_stage},
      StageEntry{"sft", "Learn answers that are given", make_sft_stage},
      StageEntry{"distill", "Learn a teacher's answers", make_distill_stage},
      StageEntry{"rl", "Learn from rewards for answers of its own", make_rl_stage},
  };
  return kEntries;
}

}  // namespace ponder
