// The folder that a step writes: parts with the documents that stay, in the order of the input;
// removed.jsonl, quarantine.jsonl and manifest.json when all is done; and in .ponder, for each
// shard, how far it is. Nothing appears under its final name before it is whole.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/run/step.hpp"
#include "data/run/tally.hpp"

namespace ponder {

// How far a shard is.
struct ShardState {
  bool done = false;
  RecordReader::Position position;
  uint64_t kept_size = 0, removed_size = 0, quarantine_size = 0, notes_size = 0;  // of its files
  StepTally tally;
};

class RunFolder {
 public:
  // Creates the folder, or goes on with one in which the same step was begun over the same files
  // with the same settings; anything else in it is an error. `stage` keeps the shards of several
  // passes of a step apart.
  static Result<RunFolder> open(const StepRun& options, std::string_view stage,
                                const std::vector<CorpusFile>& inputs);

  Result<ShardState> load(size_t shard) const;
  Result<void> save(size_t shard, const ShardState& state) const;

  // Files of a shard while it is worked on.
  std::filesystem::path kept_file(size_t shard) const;
  std::filesystem::path removed_file(size_t shard) const;
  std::filesystem::path quarantine_file(size_t shard) const;
  std::filesystem::path notes_file(size_t shard) const;
  std::filesystem::path part(size_t shard) const;  // the final name of kept_file()
  // Moves the documents of a shard to their final name, as Parquet if so wished; `back`: away from
  // there.
  Result<void> publish(size_t shard, bool back) const;

  // Whether every shard of this stage is done, by whichever process.
  Result<bool> all_done() const;
  Result<StepTally> total(int samples) const;
  // Writes removed.jsonl, quarantine.jsonl and the manifest, with `more` in it.
  Result<StepTally> finish(const StepRun& options, const OrderedJson& more) const;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path hidden() const { return folder_ / ".ponder"; }
  size_t shards() const { return inputs_.size(); }

 private:
  Result<void> publish_parquet(size_t shard, bool back) const;
  std::filesystem::path shard_file(std::string_view what, size_t shard) const;

  std::filesystem::path folder_;
  std::string stage_, suffix_;  // suffix_: of kept_file()
  Packing packing_ = Packing::kNone;
  bool parquet_ = false;
  std::vector<CorpusFile> inputs_;
};

// The manifest of a finished folder; an error that says so if it is not finished.
Result<Json> read_manifest(const std::filesystem::path& folder);

}  // namespace ponder
