#include "data/run/run_step.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>

namespace ponder {
namespace {

constexpr size_t kBatchBytes = 8 << 20;
constexpr size_t kBatchRecords = 4096;
constexpr int64_t kTask = 16;  // documents that a thread takes at a time
constexpr std::string_view kHex = "0123456789abcdef";

// A record on its way through a step.
struct Item {
  Document document;
  std::string bad;
  uint64_t text_bytes = 0;  // before the step changed it
  Decision decision;
};

// The files that a shard writes to; those that are not wanted stay closed.
struct Outputs {
  std::optional<ShardFile> kept, removed, quarantine, notes;
};

// Bytes of a broken record, readable.
std::string excerpt_json(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, 200)) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      text += c;
    } else {
      text += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return json_string(text);
}

class ShardRun {
 public:
  ShardRun(DocumentStep& step, const InputOptions& input, const CorpusFile& file,
           const StepRun& options, ThreadPool& pool, size_t shard)
      : step_(step), input_(input), file_(file), options_(options), pool_(pool), shard_(shard) {
    for (int i = 0; i < pool.size(); ++i) parsers_.emplace_back();
  }

  // Works from state.position on; `save` makes the state of a checkpoint durable.
  template <typename Save>
  Result<void> run(ShardState& state, Outputs& outputs, Save save) {
    RecordReader reader = PONDER_TRY(
        RecordReader::open(file_.path, file_.format, input_.longest_record, state.position));
    uint64_t last = state.position.offset;
    while (PONDER_TRY(read_batch(reader))) {
      const int64_t tasks = (static_cast<int64_t>(count_) + kTask - 1) / kTask;
      pool_.run(tasks, [&](int64_t task, int thread) {
        const size_t end = std::min(count_, static_cast<size_t>((task + 1) * kTask));
        for (size_t i = static_cast<size_t>(task * kTask); i < end; ++i) process(items_[i], thread);
      });
      for (size_t i = 0; i < count_; ++i) PONDER_TRY(write(items_[i], state.tally, outputs));
      state.position = reader.position();
      if (state.position.offset - last >= options_.checkpoint_bytes) {
        PONDER_TRY(save());
        last = state.position.offset;
      }
      if (options_.progress && !options_.progress({.what = step_.name(),
                                                   .done = state.position.offset,
                                                   .total = reader.packed() ? 0 : size(),
                                                   .unit = "B"}))
        return Failure{{.what = "stopped"}};
    }
    return {};
  }

 private:
  uint64_t size() const {
    struct stat info = {};
    return ::stat(file_.path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
  }

  // Batches depend on the file and on where checkpoints were only.
  Result<bool> read_batch(RecordReader& reader) {
    release_items();
    count_ = 0;
    size_t bytes = 0;
    Record record;
    while (count_ < kBatchRecords &&
           bytes < std::min<uint64_t>(kBatchBytes, options_.checkpoint_bytes)) {
      if (!PONDER_TRY(reader.next(record))) break;
      if (items_.size() == count_) items_.emplace_back();
      Item& item = items_[count_++];
      item.bad = record.bad;
      item.document.record.assign(record.bytes);
      item.document.number = record.number;
      item.document.offset = record.offset;
      bytes += record.bytes.size();
    }
    return count_ > 0;
  }

  // Items keep their memory for the next batch; where long documents came to many of them in turn
  // that would be much more than a batch.
  void release_items() {
    size_t held = 0;
    for (const Item& item : items_)
      held += item.document.record.capacity() + item.document.text.capacity() +
              item.decision.notes.capacity();
    if (held > 4 * kBatchBytes) items_.clear();
  }

  void process(Item& item, int thread) {
    Document& document = item.document;
    document.added.clear();
    document.text_changed = false;
    item.decision = {};
    if (!item.bad.empty()) return;
    DocumentParser* parser = nullptr;
    if (is_json(file_.format)) {
      parser = &parsers_[static_cast<size_t>(thread)];
      item.bad = parser->parse(input_.fields, file_.origin, document);
    } else {
      const std::string text = std::exchange(document.record, {});
      item.bad = document_of_text(text, file_.origin, input_.fields, document);
      if (!item.bad.empty()) document.record = text;
    }
    item.text_bytes = document.text.size();
    if (item.bad.empty()) step_.process(document, {shard_, thread, parser}, item.decision);
  }

  Result<void> write(const Item& item, StepTally& tally, Outputs& outputs) {
    const Document& document = item.document;
    ++tally.in;
    if (!item.bad.empty()) return write_bad(item, tally, outputs);
    tally.bytes_in += item.text_bytes;
    if (outputs.notes) PONDER_TRY(outputs.notes->write(item.decision.notes));
    if (item.decision.keep) {
      ++tally.kept;
      tally.changed += document.text_changed;
      tally.bytes_kept += document.text.size();
      if (!outputs.kept) return {};
      line_ = output_record(document, input_.fields);
      line_ += '\n';
      return outputs.kept->write(line_);
    }
    tally.add_removed(document, item.decision, options_.samples);
    if (!outputs.removed) return {};
    line_ =
        "{\"id\": " + json_string(document.id) + ", \"rule\": " + json_string(item.decision.rule);
    if (!item.decision.details.empty()) line_ += ", " + item.decision.details;
    line_ += "}\n";
    return outputs.removed->write(line_);
  }

  Result<void> write_bad(const Item& item, StepTally& tally, Outputs& outputs) {
    const Document& document = item.document;
    if (options_.stop_at_bad)
      return Failure{{.what = item.bad,
                      .where = file_.path + ", offset " + std::to_string(document.offset),
                      .mend = "mend the file, or let bad records go to quarantine"}};
    ++tally.quarantined;
    ++tally.quarantined_by[item.bad];
    if (!outputs.quarantine) return {};
    return outputs.quarantine->write("{\"file\": " + json_string(file_.path) +
                                     ", \"offset\": " + std::to_string(document.offset) +
                                     ", \"record\": " + std::to_string(document.number) +
                                     ", \"reason\": " + json_string(item.bad) +
                                     ", \"begins\": " + excerpt_json(document.record) + "}\n");
  }

  DocumentStep& step_;
  const InputOptions& input_;
  const CorpusFile& file_;
  const StepRun& options_;
  ThreadPool& pool_;
  size_t shard_;
  std::vector<DocumentParser> parsers_;  // one a thread
  std::vector<Item> items_;              // the first count_ are in use
  size_t count_ = 0;
  std::string line_;
};

Result<Outputs> open_outputs(const DocumentStep& step, const RunFolder& folder,
                             const StepRun& options, size_t shard, const ShardState& state) {
  Outputs outputs;
  if (step.writes_documents()) {
    outputs.kept.emplace(
        PONDER_TRY(ShardFile::open(folder.kept_file(shard), options.packing, state.kept_size)));
    outputs.removed.emplace(PONDER_TRY(
        ShardFile::open(folder.removed_file(shard), Packing::kNone, state.removed_size)));
    outputs.quarantine.emplace(PONDER_TRY(
        ShardFile::open(folder.quarantine_file(shard), Packing::kNone, state.quarantine_size)));
  }
  if (step.writes_notes())
    outputs.notes.emplace(
        PONDER_TRY(ShardFile::open(folder.notes_file(shard), Packing::kNone, state.notes_size)));
  return outputs;
}

Result<void> run_shard(DocumentStep& step, const InputOptions& input, const CorpusFile& file,
                       const StepRun& options, const RunFolder& folder, ThreadPool& pool,
                       size_t shard) {
  ShardState state = PONDER_TRY(folder.load(shard));
  if (state.done && file.path != "-") return {};
  if (file.path == "-") state = {};  // what came through a pipe does not come again
  PONDER_TRY(folder.publish(shard, true));
  Outputs outputs = PONDER_TRY(open_outputs(step, folder, options, shard, state));
  const auto save = [&]() -> Result<void> {
    if (outputs.kept) {
      state.kept_size = PONDER_TRY(outputs.kept->checkpoint());
      state.removed_size = PONDER_TRY(outputs.removed->checkpoint());
      state.quarantine_size = PONDER_TRY(outputs.quarantine->checkpoint());
    }
    if (outputs.notes) state.notes_size = PONDER_TRY(outputs.notes->checkpoint());
    return folder.save(shard, state);
  };
  ShardRun run(step, input, file, options, pool, shard);
  PONDER_TRY(run.run(state, outputs, save));
  PONDER_TRY(save());
  PONDER_TRY(folder.publish(shard, false));
  state.done = true;
  return folder.save(shard, state);
}

}  // namespace

Result<void> run_shards(DocumentStep& step, const InputOptions& input,
                        const std::vector<CorpusFile>& inputs, const StepRun& options,
                        const RunFolder& folder, ThreadPool& pool) {
  for (size_t shard = 0; shard < inputs.size(); ++shard)
    if (shard % static_cast<size_t>(options.world) == static_cast<size_t>(options.rank))
      PONDER_TRY(run_shard(step, input, inputs[shard], options, folder, pool, shard));
  return {};
}

Result<StepTally> run_to_output(DocumentStep& step, const InputOptions& input,
                                const std::vector<CorpusFile>& inputs, const StepRun& options,
                                ThreadPool& pool) {
  StepTally total;
  Outputs outputs;
  if (step.writes_documents())
    outputs.kept.emplace(PONDER_TRY(ShardFile::open("-", options.packing, 0)));
  if (!options.notes_file.empty()) {
    std::error_code none;
    const uintmax_t size = std::filesystem::file_size(options.notes_file, none);
    outputs.notes.emplace(
        PONDER_TRY(ShardFile::open(options.notes_file, Packing::kNone, none ? 0 : size)));
  }
  for (size_t shard = 0; shard < inputs.size(); ++shard) {
    ShardState state;
    ShardRun run(step, input, inputs[shard], options, pool, shard);
    const auto flush = [&]() -> Result<void> {
      if (outputs.kept) PONDER_TRY(outputs.kept->checkpoint());
      return {};
    };
    PONDER_TRY(run.run(state, outputs, flush));
    total.add(state.tally, options.samples);
  }
  if (outputs.kept) PONDER_TRY(outputs.kept->checkpoint());
  if (outputs.notes) PONDER_TRY(outputs.notes->checkpoint());
  return total;
}

}  // namespace ponder
