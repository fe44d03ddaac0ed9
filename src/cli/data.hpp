// What the commands under `ponder data` share.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "data/io/inputs.hpp"
#include "data/run/peers.hpp"
#include "data/run/run_step.hpp"

namespace ponder {

struct DataFlags {
  InputOptions input;
  StepRun run;
  std::string packing = "none";
  std::string output_format = "jsonl";
  std::string memory = "2G";
  uint64_t memory_bytes = 0;  // of `memory`, by prepare_data_flags()
  std::string longest;
  std::string checkpoint = "64M";
  int threads = 0;
  int rank = -1, world = 0;  // −1, 0: from the environment
  bool json = false;
};

// Adds the flags that all steps have. Without `output` there is no -o.
void add_data_flags(CLI::App& command, DataFlags& flags, bool output = true);

// Of these those about the process: threads, memory, rank, --json.
void add_process_flags(CLI::App& command, DataFlags& flags);

// Checks and completes the flags: sizes, threads, rank, progress on `line`.
Result<void> prepare_data_flags(DataFlags& flags, ProgressLine& line);
Place place_of_run(const StepRun& run);

// Prints counts: as JSON if asked for, else as a small table. With `waiting` other processes still
// work on their shards.
Result<int> report_counts(const DataFlags& flags, const StepTally& tally, bool waiting,
                          const OrderedJson& more = OrderedJson::object());

// Runs a step from input to output by the flags, and reports.
Result<int> run_data_step(DataFlags& flags, DocumentStep& step);

void add_data_filter(CLI::App& data, Selection& selection);
void add_data_dedup(CLI::App& data, Selection& selection);
void add_data_decontaminate(CLI::App& data, Selection& selection);
void add_data_classify(CLI::App& data, Selection& selection);
void add_data_look(CLI::App& data, Selection& selection);  // stats, sample, report, what-if
void add_data_pack(CLI::App& data, Selection& selection);
void add_data_run(CLI::App& data, Selection& selection);

}  // namespace ponder
