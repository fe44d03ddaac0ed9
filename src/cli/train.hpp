// What the commands of `ponder train` share: flags of a run, and running it with a dashboard.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "train/run.hpp"

namespace ponder {

struct TrainFlags {
  std::string recipe, out, isa;
  std::vector<std::string> sets;
  bool resume = false;
  int threads = 0;
  std::optional<uint64_t> seed;
};

// RECIPE, --out, --set, --resume, --threads, --seed, --isa.
void add_train_flags(CLI::App& command, TrainFlags& flags);

// Trains the recipe as `stage` says, alone or as one rank of mpirun, showing it on the terminal.
// The last line printed is "weights sha256: <hex>". Gives the exit status.
Result<int> run_training(const StageEntry& stage, const TrainFlags& flags);

// The commands that are no stages.
void add_train_check_grads_command(CLI::App& train, Selection& selection);
void add_train_merge_command(CLI::App& train, Selection& selection);
void add_train_check_grads_command(CLI::App& train, Selection& selection);

}  // namespace ponder
