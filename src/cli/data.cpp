// ponder data: from raw text to a training set.
#include "cli/data.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/serve_settings.hpp"
#include "data/run/folder_lock.hpp"
#include "data/run/memory_budget.hpp"
#include "data/run/peers.hpp"

namespace ponder {
namespace {

std::string counts_text(const StepTally& tally) {
  const auto line = [](const std::string& name, uint64_t count) {
    const std::string number = std::to_string(count);
    return name + std::string(name.size() < 34 ? 34 - name.size() : 1, ' ') +
           std::string(number.size() < 12 ? 12 - number.size() : 0, ' ') + number + "\n";
  };
  std::string text = line("in", tally.in) + line("kept", tally.kept);
  if (tally.changed > 0) text += line("  of these changed", tally.changed);
  text += line("removed", tally.removed);
  for (const auto& [rule, count] : tally.removed_by) text += line("  " + rule, count);
  if (tally.quarantined > 0) text += line("quarantined", tally.quarantined);
  for (const auto& [why, count] : tally.quarantined_by) text += line("  " + why, count);
  return text;
}

// Threads and the longest record, which share --memory.
Result<void> divide_memory(DataFlags& flags) {
  flags.memory_bytes = PONDER_TRY(parse_bytes(flags.memory, "--memory"));
  if (flags.memory_bytes < (16 << 20))
    return Failure{{.what = "less than 16M is too little", .where = "--memory"}};
  flags.run.threads =
      threads_within(flags.memory_bytes, flags.threads > 0 ? flags.threads : available_cpus());
  const uint64_t most = longest_record_within(flags.memory_bytes);
  flags.input.longest_record = std::min(flags.input.longest_record, most);
  if (!flags.longest.empty()) {
    flags.input.longest_record = PONDER_TRY(parse_bytes(flags.longest, "--max-record"));
    if (flags.input.longest_record > most)
      return Failure{{.what = "records of " + flags.longest + " need more memory than --memory " +
                              flags.memory,
                      .where = "--max-record",
                      .mend = "give 32 times as much to --memory"}};
  }
  flags.run.reading = reading_settings(flags.input);
  return {};
}

}  // namespace

void add_data_flags(CLI::App& command, DataFlags& flags, bool output) {
  command.add_option("IN", flags.input.paths, "Files, patterns, folders, or - for standard input")
      ->required();
  if (output) {
    command
        .add_option("-o,--output", flags.run.folder, "Folder for the output; -: standard output")
        ->required()
        ->type_name("DIR");
    command
        .add_option("--output-format", flags.output_format,
                    "Of the output: jsonl or parquet (packed by zstd, or gzip with --compress gz)")
        ->check(CLI::IsMember({"jsonl", "parquet"}))
        ->type_name("FORMAT");
    command.add_option("--compress", flags.packing, "Of the output: none, gz or zst")
        ->type_name("FORMAT");
    command.add_option("--checkpoint", flags.checkpoint, "Input between two checkpoints (64M)")
        ->type_name("BYTES");
    command.add_option("--samples", flags.run.samples, "Removed documents kept for each rule (20)")
        ->check(CLI::Range(0, 10000))
        ->type_name("N");
  }
  command
      .add_option("--format", flags.input.format,
                  "Of the input: auto, jsonl, parquet, lines or text")
      ->type_name("FORMAT");
  command.add_option("--text-field", flags.input.fields.text, "Field with the text (text)")
      ->type_name("NAME");
  command.add_option("--id-field", flags.input.fields.id, "Field with the id (id)")
      ->type_name("NAME");
  command.add_option("--url-field", flags.input.fields.url, "Field with the address (url)")
      ->type_name("NAME");
  command
      .add_option("--max-record", flags.longest,
                  "Longest record that is no bad input (64M, at most a 32nd of --memory)")
      ->type_name("BYTES");
  command.add_flag("--stop-at-bad", flags.run.stop_at_bad,
                   "Stop at bad input instead of putting it into quarantine");
  add_process_flags(command, flags);
}

void add_process_flags(CLI::App& command, DataFlags& flags) {
  command.add_option("-t,--threads", flags.threads, "Threads (one per CPU)")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  command.add_option("--memory", flags.memory, "Memory to keep within, at least about 100M (2G)")
      ->type_name("BYTES");
  command.add_option("--rank", flags.rank, "This process among --world (from SLURM or MPI)")
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("R");
  command.add_option("--world", flags.world, "Number of processes that share the work")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N");
  command.add_flag("--json", flags.json, "Print the counts as JSON");
}

Result<void> prepare_data_flags(DataFlags& flags, ProgressLine& line) {
  PONDER_TRY(divide_memory(flags));
  flags.run.checkpoint_bytes = PONDER_TRY(parse_bytes(flags.checkpoint, "--checkpoint"));
  flags.run.packing = PONDER_TRY(parse_packing(flags.packing));
  flags.run.parquet = flags.output_format == "parquet";
  if (flags.run.parquet && flags.run.folder == "-")
    return Failure{{.what = "Parquet cannot be written to standard output",
                    .where = "--output-format",
                    .mend = "name a folder"}};
  flags.run.progress = line.sink();
  const Place place = place_from_environment();
  const bool given = flags.rank >= 0 || flags.world > 0;
  if (given && (flags.rank < 0 || flags.world < 1 || flags.rank >= flags.world))
    return Failure{{.what = "--rank and --world go together, and rank is less than world"}};
  flags.run.rank = given ? flags.rank : place.rank;
  flags.run.world = given ? flags.world : place.world;
  return {};
}

// MPI serves only if it started as many processes as share the work.
Place place_of_run(const StepRun& run) {
  const Place place = place_from_environment();
  return {run.rank, run.world, place.mpi && place.world == run.world};
}

Result<int> report_counts(const DataFlags& flags, const StepTally& tally, bool waiting,
                          const OrderedJson& more) {
  if (flags.json) {
    OrderedJson json = tally.counts();
    if (waiting) json["unfinished"] = true;
    for (const auto& [key, value] : more.items()) json[key] = value;
    const std::string text = json_text(json);
    if (flags.run.folder == "-")
      print_error(text);
    else
      PONDER_TRY(print(text));
    return 0;
  }
  std::string text = counts_text(tally);
  for (const auto& [key, value] : more.items()) text += key + ": " + value.dump() + "\n";
  if (waiting) text += "other processes have shards to do\n";
  if (flags.run.folder == "-")
    print_error(text);
  else
    PONDER_TRY(print(text));
  return 0;
}

Result<int> run_data_step(DataFlags& flags, DocumentStep& step) {
  const auto inputs = PONDER_TRY(find_inputs(flags.input));
  ThreadPool pool(flags.run.threads);
  if (flags.run.folder == "-") {
    const StepTally tally = PONDER_TRY(run_to_output(step, flags.input, inputs, flags.run, pool));
    return report_counts(flags, tally, false);
  }
  const FolderLock lock = PONDER_TRY(FolderLock::take(flags.run.folder, flags.run.rank));
  const RunFolder folder = PONDER_TRY(RunFolder::open(flags.run, "main", inputs));
  PONDER_TRY(run_shards(step, flags.input, inputs, flags.run, folder, pool));
  if (!PONDER_TRY(folder.all_done()))
    return report_counts(flags, PONDER_TRY(folder.total(flags.run.samples)), true);
  return report_counts(flags, PONDER_TRY(folder.finish(flags.run, OrderedJson::object())), false);
}

void add_data_command(CLI::App& app, Selection& selection) {
  CLI::App& data = *app.add_subcommand("data", "Make training sets out of raw text");
  data.require_subcommand(1);
  add_data_filter(data, selection);
  add_data_dedup(data, selection);
  add_data_decontaminate(data, selection);
  add_data_pack(data, selection);
  add_data_classify(data, selection);
  add_data_look(data, selection);
  add_data_run(data, selection);
  data.footer(
      "Each command reads JSONL (plain, .gz or .zst), Parquet, lines or whole text files, and\n"
      "writes a folder with part-*.jsonl (or .parquet), removed.jsonl, quarantine.jsonl and "
      "manifest.json. Killed and started\n"
      "again with the same command it goes on where it was.");
}

}  // namespace ponder
