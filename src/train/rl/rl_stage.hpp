// Reinforcement learning as a stage of training: a step samples answers to some problems with the
// weights as they are, judges them, and learns from what they earned.
#pragma once

#include "train/run.hpp"

namespace ponder {

// Keys: rl_options.hpp.
Result<std::unique_ptr<Stage>> make_rl_stage(TrainRun& run);

}  // namespace ponder
