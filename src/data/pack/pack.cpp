#include "data/pack/pack.hpp"

#include <cstring>

#include "data/dedup/notes.hpp"
#include "data/packed_shard.hpp"

namespace ponder {
namespace {

namespace fs = std::filesystem;

class NoteTokens : public DocumentStep {
 public:
  NoteTokens(const Tokenizer& tokenizer, bool end_token)
      : tokenizer_(tokenizer), end_(end_token ? tokenizer.eos() : std::nullopt) {}

  std::string_view name() const override { return "tokenizing"; }
  bool writes_documents() const override { return false; }
  bool writes_notes() const override { return true; }
  void process(Document& document, const DocumentPlace&, Decision& decision) override {
    std::vector<int32_t> ids =
        tokenizer_.encode(document.text, {.add_bos = false, .parse_special = false});
    if (end_) ids.push_back(*end_);
    append_note(decision.notes, document.number, "",
                {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int32_t)});
  }

 private:
  const Tokenizer& tokenizer_;
  std::optional<int32_t> end_;
};

// Packs the documents of a file of notes, window after window.
class ShardPacker {
 public:
  ShardPacker(const PackOptions& options, PackedShardWriter& writer)
      : options_(options), writer_(writer) {}

  Result<void> take(const Note& note) {
    const size_t count = note.payload.size() / sizeof(int32_t), old = tokens_.size();
    tokens_.resize(old + count);
    if (count > 0) std::memcpy(tokens_.data() + old, note.payload.data(), count * sizeof(int32_t));
    for (size_t at = 0; at < count; at += options_.length) {
      begins_.push_back(old + at);
      lengths_.push_back(static_cast<uint32_t>(std::min<size_t>(options_.length, count - at)));
    }
    return tokens_.size() < options_.window ? Result<void>{} : flush();
  }

  Result<void> flush() {
    std::vector<std::span<const int32_t>> pieces;
    for (const auto& sequence : best_fit(lengths_, options_.length)) {
      pieces.clear();
      for (const uint32_t piece : sequence)
        pieces.emplace_back(tokens_.data() + begins_[piece], lengths_[piece]);
      PONDER_TRY(writer_.add(pieces));
    }
    tokens_.clear();
    begins_.clear();
    lengths_.clear();
    return {};
  }

 private:
  PackOptions options_;
  PackedShardWriter& writer_;
  std::vector<int32_t> tokens_;
  std::vector<size_t> begins_;
  std::vector<uint32_t> lengths_;
};

fs::path part_path(const RunFolder& folder, size_t shard) {
  const std::string name = folder.part(shard).filename().string();
  return folder.folder() / (name.substr(0, name.find('.')) + ".pack");  // whatever the packing
}

Result<void> pack_shard(const PackOptions& options, const Tokenizer& tokenizer,
                        const RunFolder& folder, size_t shard) {
  const fs::path path = part_path(folder, shard);
  std::error_code error;
  if (fs::exists(path, error)) return {};
  PackedShardWriter writer = PONDER_TRY(PackedShardWriter::create(
      path, options.length, static_cast<uint32_t>(tokenizer.vocab_size())));
  ShardPacker packer(options, writer);
  NotesReader reader = PONDER_TRY(NotesReader::open(folder.notes_file(shard)));
  Note note;
  while (PONDER_TRY(reader.next(note))) PONDER_TRY(packer.take(note));
  PONDER_TRY(packer.flush());
  PONDER_TRY(writer.commit());
  fs::resize_file(folder.notes_file(shard), 0, error);  // the tokens are in the part now
  return {};
}

}  // namespace

Result<PackCounts> pack_documents(const PackOptions& options, const Tokenizer& tokenizer,
                                  const InputOptions& input, const std::vector<CorpusFile>& inputs,
                                  const StepRun& run, ThreadPool& pool) {
  const RunFolder folder = PONDER_TRY(RunFolder::open(run, "notes", inputs));
  NoteTokens step(tokenizer, options.end_token);
  PONDER_TRY(run_shards(step, input, inputs, run, folder, pool));
  for (size_t shard = 0; shard < inputs.size(); ++shard)
    if (shard % static_cast<size_t>(run.world) == static_cast<size_t>(run.rank))
      PONDER_TRY(pack_shard(options, tokenizer, folder, shard));
  PackCounts counts;
  OrderedJson parts = OrderedJson::array();
  std::error_code error;
  for (size_t shard = 0; shard < inputs.size(); ++shard) {
    const fs::path path = part_path(folder, shard);
    if (!fs::exists(path, error)) return counts;  // another process is at it
    const PackedShard part = PONDER_TRY(PackedShard::open(path));
    counts.tally.add(PONDER_TRY(folder.load(shard)).tally, 0);
    counts.tokens += part.tokens();
    counts.sequences += part.sequences();
    parts.push_back({{"file", path.filename().string()},
                     {"input", inputs[shard].path},
                     {"sequences", part.sequences()},
                     {"tokens", part.tokens()}});
  }
  const OrderedJson manifest = {{"step", run.settings},
                                {"documents", counts.tally.kept},
                                {"quarantined", counts.tally.quarantined},
                                {"tokens", counts.tokens},
                                {"sequences", counts.sequences},
                                {"length", options.length},
                                {"parts", parts}};
  PONDER_TRY(write_file(folder.folder() / "manifest.json", manifest.dump(1) + "\n"));
  return counts;
}

OrderedJson pack_settings(const PackOptions& options, const std::string& tokenizer_name,
                          const Tokenizer& tokenizer) {
  return {{"step", "pack"},
          {"tokenizer", tokenizer_name},
          {"vocabulary", tokenizer.vocab_size()},
          {"length", options.length},
          {"end_token", options.end_token}};
}

}  // namespace ponder
