#include "data/run/run_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "base/file.hpp"
#include "data/parquet/convert.hpp"

namespace ponder {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLongestState = 256 << 20;

Failure io_failure(const fs::path& path, const std::error_code& error) {
  return Failure{{.what = error.message(), .where = path.string()}};
}

std::string text_of(const OrderedJson& json) {
  return json.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

// What makes two runs the same: the step's settings, and which files it reads.
OrderedJson identity(const StepRun& options, const std::vector<CorpusFile>& inputs) {
  OrderedJson json = {{"settings", options.settings},
                      {"reading", options.reading},
                      {"packing", std::string(packing_suffix(options.packing))},
                      {"checkpoint", options.checkpoint_bytes}};
  if (options.parquet) json["parquet"] = true;
  OrderedJson& files = json["inputs"] = OrderedJson::array();
  for (const CorpusFile& input : inputs) {
    std::error_code error;
    const uintmax_t size = input.path == "-" ? 0 : fs::file_size(input.path, error);
    files.push_back({{"path", input.path},
                     {"format", static_cast<int>(input.format)},
                     {"size", error ? 0 : size}});
  }
  return json;
}

// False if there is no such file.
Result<bool> append_file(AtomicFile& out, const fs::path& path) {
  auto file = MappedFile::open(path);
  std::error_code error;
  if (!file.ok() && !fs::exists(path, error)) return false;
  if (!file.ok()) return Failure{file.error()};
  PONDER_TRY(out.write(file.value().bytes()));
  return true;
}

}  // namespace

Result<RunFolder> RunFolder::open(const StepRun& options, std::string_view stage,
                                  const std::vector<CorpusFile>& inputs) {
  RunFolder run;
  run.folder_ = options.folder;
  run.stage_ = stage;
  run.suffix_ = ".jsonl" + std::string(packing_suffix(options.packing));
  run.packing_ = options.packing;
  run.parquet_ = options.parquet;
  if (options.parquet) PONDER_TRY(parquet_module());  // or it fails when all is computed
  run.inputs_ = inputs;
  std::error_code error;
  fs::create_directories(run.hidden(), error);
  if (error) return io_failure(run.hidden(), error);
  for (const CorpusFile& input : inputs)
    if (input.path == "-" && fs::exists(run.folder_ / "manifest.json", error))
      return Failure{{.what = "the folder holds a finished run already",
                      .where = run.folder_.string(),
                      .mend = "name an empty folder"}};
  const std::string wanted = text_of(identity(options, inputs));
  const fs::path path = run.hidden() / "step.json";
  if (!fs::exists(path, error)) {
    if (fs::exists(run.folder_ / "manifest.json", error) || fs::exists(run.part(0), error))
      return Failure{{.what = "the folder holds something else already",
                      .where = run.folder_.string(),
                      .mend = "name an empty folder"}};
    PONDER_TRY(write_file(path, wanted));
  } else if (PONDER_TRY(read_file(path, kLongestState)) != wanted) {
    return Failure{{.what = "the folder holds the output of other settings or other input files",
                    .where = run.folder_.string(),
                    .mend = "name an empty folder"}};
  }
  return run;
}

fs::path RunFolder::shard_file(std::string_view what, size_t shard) const {
  char number[16];
  std::snprintf(number, sizeof(number), "-%05zu", shard);
  return hidden() / (stage_ + "-" + std::string(what) + number);
}

fs::path RunFolder::kept_file(size_t shard) const {
  return shard_file("kept", shard).string() + suffix_;
}
fs::path RunFolder::removed_file(size_t shard) const { return shard_file("removed", shard); }
fs::path RunFolder::quarantine_file(size_t shard) const { return shard_file("quarantine", shard); }
fs::path RunFolder::notes_file(size_t shard) const { return shard_file("notes", shard); }

fs::path RunFolder::part(size_t shard) const {
  char name[32];
  std::snprintf(name, sizeof(name), "part-%05zu", shard);
  return folder_ / (name + (parquet_ ? ".parquet" : suffix_));
}

Result<void> RunFolder::publish(size_t shard, bool back) const {
  if (parquet_) return publish_parquet(shard, back);
  const fs::path from = back ? part(shard) : kept_file(shard);
  const fs::path to = back ? kept_file(shard) : part(shard);
  std::error_code error;
  if (!fs::exists(from, error)) return {};
  fs::rename(from, to, error);
  return error ? Result<void>(io_failure(to, error)) : Result<void>{};
}

// The lines stay until the shard is done: a Parquet file cannot be gone on with.
Result<void> RunFolder::publish_parquet(size_t shard, bool back) const {
  std::error_code error;
  if (back) {
    fs::remove(part(shard), error);
    return error ? Result<void>(io_failure(part(shard), error)) : Result<void>{};
  }
  if (!fs::exists(kept_file(shard), error)) return {};
  const fs::path whole = shard_file("parquet", shard);
  PONDER_TRY(lines_to_parquet(kept_file(shard), whole, packing_ == Packing::kGzip));
  fs::rename(whole, part(shard), error);
  return error ? Result<void>(io_failure(part(shard), error)) : Result<void>{};
}

Result<ShardState> RunFolder::load(size_t shard) const {
  ShardState state;
  const fs::path path = shard_file("state", shard);
  std::error_code error;
  if (!fs::exists(path, error)) return state;
  const std::string where = path.string();
  const std::string text = PONDER_TRY(read_file(path, kLongestState));
  const Json json = PONDER_TRY(parse_json(text, where));
  const auto number = [&](std::string_view key) -> Result<uint64_t> {
    return static_cast<uint64_t>(PONDER_TRY(integer_field(json, key, where, {.least = 0})));
  };
  state.done = PONDER_TRY(bool_field(json, "done", where));
  state.position.offset = PONDER_TRY(number("offset"));
  state.position.number = PONDER_TRY(number("number"));
  state.kept_size = PONDER_TRY(number("kept_size"));
  state.removed_size = PONDER_TRY(number("removed_size"));
  state.quarantine_size = PONDER_TRY(number("quarantine_size"));
  state.notes_size = PONDER_TRY(number("notes_size"));
  const Json* tally = find_field(json, "tally");
  if (tally == nullptr) return Failure{{.what = "there is no tally", .where = where}};
  state.tally = PONDER_TRY(StepTally::from_json(*tally, where));
  return state;
}

Result<void> RunFolder::save(size_t shard, const ShardState& state) const {
  const OrderedJson json = {{"done", state.done},
                            {"offset", state.position.offset},
                            {"number", state.position.number},
                            {"kept_size", state.kept_size},
                            {"removed_size", state.removed_size},
                            {"quarantine_size", state.quarantine_size},
                            {"notes_size", state.notes_size},
                            {"tally", state.tally.to_json()}};
  return write_file(shard_file("state", shard), text_of(json));
}

Result<bool> RunFolder::all_done() const {
  for (size_t shard = 0; shard < shards(); ++shard)
    if (!PONDER_TRY(load(shard)).done) return false;
  return true;
}

Result<StepTally> RunFolder::total(int samples) const {
  StepTally total;
  for (size_t shard = 0; shard < shards(); ++shard)
    total.add(PONDER_TRY(load(shard)).tally, samples);
  return total;
}

Result<StepTally> RunFolder::finish(const StepRun& options, const OrderedJson& more) const {
  const StepTally tally = PONDER_TRY(total(options.samples));
  if (!tally.adds_up())
    return Failure{{.what = "the counts do not add up: in = kept + removed + quarantined",
                    .where = folder_.string()}};
  std::error_code error;
  const fs::path manifest = folder_ / "manifest.json";
  if (fs::exists(manifest, error)) return tally;
  AtomicFile removed = PONDER_TRY(AtomicFile::create(folder_ / "removed.jsonl"));
  AtomicFile quarantine = PONDER_TRY(AtomicFile::create(folder_ / "quarantine.jsonl"));
  OrderedJson parts = OrderedJson::array();
  for (size_t shard = 0; shard < shards(); ++shard) {
    // Another process that is done at the same time writes the same, and then removes these files.
    if (!PONDER_TRY(append_file(removed, removed_file(shard))) ||
        !PONDER_TRY(append_file(quarantine, quarantine_file(shard))))
      return tally;
    const ShardState state = PONDER_TRY(load(shard));
    parts.push_back({{"file", part(shard).filename().string()},
                     {"input", inputs_[shard].path},
                     {"documents", state.tally.kept},
                     {"bytes", state.kept_size}});
  }
  PONDER_TRY(removed.commit());
  PONDER_TRY(quarantine.commit());
  OrderedJson json = {{"step", options.settings}, {"counts", tally.counts()}, {"parts", parts}};
  json["samples"] = tally.to_json()["samples"];
  for (const auto& [key, value] : more.items()) json[key] = value;
  PONDER_TRY(write_file(manifest, text_of(json)));
  for (size_t shard = 0; shard < shards(); ++shard) {
    fs::remove(removed_file(shard), error);
    fs::remove(quarantine_file(shard), error);
    if (parquet_) fs::remove(kept_file(shard), error);
  }
  return tally;
}

Result<Json> read_manifest(const fs::path& folder) {
  const fs::path path = folder / "manifest.json";
  std::error_code error;
  if (!fs::exists(path, error))
    return Failure{{.what = "there is no finished step in this folder",
                    .where = folder.string(),
                    .mend = "give the command that began it again"}};
  const std::string text = PONDER_TRY(read_file(path, kLongestState));
  return parse_json(text, path.string());
}

}  // namespace ponder
