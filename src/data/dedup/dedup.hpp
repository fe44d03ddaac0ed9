// Deduplication as a whole: a pass that notes keys, a comparison, and a pass that writes what
// stays.
#pragma once

#include <string>

#include "base/thread_pool.hpp"
#include "data/dedup/minhash.hpp"
#include "data/run/peers.hpp"
#include "data/run/run_step.hpp"

namespace ponder {

enum class DedupKind { kExact, kNear, kSubstring };

struct DedupOptions {
  DedupKind kind = DedupKind::kExact;
  MinHashOptions near;
  int words = 50;      // of a repeated run, with kSubstring
  int words_left = 1;  // a document with fewer words left is removed, with kSubstring
  uint64_t memory = 2ull << 30;
};

// Runs over `inputs` into run.folder, together with the other processes of `peers`. Killed
// at any point and started again it goes on. The output does not depend on shards, threads and
// processes. `done`: whether the folder is finished (rank 0 writes the manifest).
Result<StepTally> deduplicate(const DedupOptions& options, const InputOptions& input,
                              const std::vector<CorpusFile>& inputs, const StepRun& run,
                              Peers& peers, ThreadPool& pool);

OrderedJson dedup_settings(const DedupOptions& options);

}  // namespace ponder
