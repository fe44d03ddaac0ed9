// The commands of `ponder train` around reinforcement learning that are no stages of one run.
#pragma once

#include "cli/commands.hpp"

namespace ponder {

void add_train_sample_command(CLI::App& train, Selection& selection);
void add_train_rescore_command(CLI::App& train, Selection& selection);
void add_train_pipeline_command(CLI::App& train, Selection& selection);

}  // namespace ponder
