// Checkpoints of a run: everything that is needed to go on with the same bytes. Each is a folder
// that appears complete or not at all, and the one before stays until a new one is there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace ponder {

// Numbers that a checkpoint keeps, in the memory where they live.
struct NamedFloats {
  std::string name;
  std::span<float> values;
};

// What is small.
struct CheckpointState {
  int64_t step = 0;         // steps that are done
  int64_t updates = 0;      // of the optimiser
  std::string run;          // what a run is known by: Recipe::resolved() and the like
  std::string isa;          // bits, and the order of weights in memory, belong to one
  std::string stage_state;  // whatever the stage wants to have back
};

// The checkpoints of one folder: "step-000000012.0000" and so on, the last number counting those
// that were made within one step.
class CheckpointFolder {
 public:
  // `keep`: how many stay, the newest; at least 1. Removes what a killed process has left behind.
  static Result<CheckpointFolder> open(const std::filesystem::path& folder, int64_t keep);

  // Writes aside, flushes to the disk, renames, and removes the oldest. If that fails, on a full
  // disk for example, the earlier checkpoints are as they were.
  Result<void> save(const CheckpointState& state, std::span<const NamedFloats> tensors);

  // Reads the newest that is whole back into `tensors`; nothing if there is none. One that is
  // damaged is passed over, with a warning in the log. `accept` sees the state first; its error, or
  // that of tensors which do not fit, ends the search.
  using Accept = std::function<Result<void>(const CheckpointState&)>;
  Result<std::optional<CheckpointState>> load_newest(std::span<const NamedFloats> tensors,
                                                     const Accept& accept);

  std::vector<std::filesystem::path> list() const;  // ascending

 private:
  CheckpointFolder(std::filesystem::path folder, int64_t keep)
      : folder_(std::move(folder)), keep_(keep) {}

  std::filesystem::path folder_;
  int64_t keep_;
};

}  // namespace ponder
