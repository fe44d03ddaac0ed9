// Runs a step over input files, on all threads, from where an earlier run was cut off.
#pragma once

#include <vector>

#include "base/thread_pool.hpp"
#include "data/run/run_folder.hpp"
#include "data/run/step.hpp"

namespace ponder {

// Works on this process's shards. Documents of a shard are read in batches, processed by all
// threads, and written in order; every checkpoint_bytes the state is saved. Fails with what =
// "stopped" if the progress sink says so: the same call then goes on later.
Result<void> run_shards(Step& step, const InputOptions& input, const std::vector<InputFile>& inputs,
                        const RunOptions& options, const RunFolder& folder, ThreadPool& pool);

// The same without a folder: documents go to standard output. Gives the counts.
Result<Tally> run_to_output(Step& step, const InputOptions& input,
                            const std::vector<InputFile>& inputs, const RunOptions& options,
                            ThreadPool& pool);

}  // namespace ponder
