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
Result<void> run_shards(DocumentStep& step, const InputOptions& input,
                        const std::vector<CorpusFile>& inputs, const StepRun& options,
                        const RunFolder& folder, ThreadPool& pool);

// The same without a folder: documents, if the step writes any, go to standard output.
Result<StepTally> run_to_output(DocumentStep& step, const InputOptions& input,
                                const std::vector<CorpusFile>& inputs, const StepRun& options,
                                ThreadPool& pool);

}  // namespace ponder
