#include "data/dedup/dedup.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "data/dedup/duplicates_map.hpp"
#include "data/dedup/substrings.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ponder {
namespace {

// What the program, its messages and merging take while keys are sorted, and each further thread.
constexpr uint64_t kBesideSorting = 80 << 20, kThreadBesideSorting = 2 << 20;

std::string_view bytes_of(const std::vector<uint64_t>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(uint64_t)};
}

// Notes the keys by which documents are compared.
class NoteKeys : public DocumentStep {
 public:
  NoteKeys(const DedupOptions& options, Isa isa) : options_(options), minhash_(options.near, isa) {}

  std::string_view name() const override { return "reading"; }
  bool writes_documents() const override { return false; }
  bool writes_notes() const override { return true; }

  void process(Document& document, const DocumentPlace&, Decision& decision) override {
    const std::vector<uint64_t> keys = keys_of(document.text);
    append_note(decision.notes, document.number, document.id, bytes_of(keys));
  }

 private:
  std::vector<uint64_t> keys_of(std::string_view text) const {
    if (options_.kind == DedupKind::kNear)
      return minhash_.band_keys(minhash_.shingles(normal_words(text)));
    if (options_.kind == DedupKind::kSubstring)
      return ngram_hashes(exact_words(text), static_cast<size_t>(options_.words));
    const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
    return {hash.high64, hash.low64};
  }

  DedupOptions options_;
  MinHash minhash_;
};

class RemoveDuplicates : public DocumentStep {
 public:
  RemoveDuplicates(DuplicateMap duplicates, std::string rule)
      : duplicates_(std::move(duplicates)), rule_(std::move(rule)) {}

  std::string_view name() const override { return "writing"; }
  void process(Document& document, const DocumentPlace& place, Decision& decision) override {
    const std::string* kept = duplicates_.find(ordinal_of(place.shard, document.number));
    if (kept == nullptr) return;
    decision.keep = false;
    decision.rule = rule_;
    decision.details = "\"duplicate_of\": " + json_string(*kept);
  }

 private:
  DuplicateMap duplicates_;
  std::string rule_;
};

class CutSubstrings : public DocumentStep {
 public:
  CutSubstrings(std::vector<WindowRun> runs, const DedupOptions& options)
      : runs_(std::move(runs)), options_(options) {}

  std::string_view name() const override { return "writing"; }
  void process(Document& document, const DocumentPlace& place, Decision& decision) override {
    const Ordinal ordinal = ordinal_of(place.shard, document.number);
    const auto begin = std::lower_bound(
        runs_.begin(), runs_.end(), ordinal,
        [](const WindowRun& run, Ordinal wanted) { return run.document < wanted; });
    auto end = begin;
    while (end != runs_.end() && end->document == ordinal) ++end;
    if (begin == end) return;
    std::string text = without_repeated(document.text, exact_words(document.text), {begin, end},
                                        static_cast<size_t>(options_.words));
    if (text.size() == document.text.size()) return;
    const size_t left = exact_words(text).size();
    if (left < static_cast<size_t>(options_.words_left)) {
      decision.keep = false;
      decision.rule = "repeated_text";
      decision.details = "\"words_left\": " + std::to_string(left);
      return;
    }
    document.text = std::move(text);
    document.text_changed = true;
  }

 private:
  std::vector<WindowRun> runs_;
  DedupOptions options_;
};

Result<std::unique_ptr<DocumentStep>> second_step(const DedupOptions& options,
                                                  const RunFolder& notes, Peers& peers,
                                                  const ProgressSink& progress, ThreadPool& pool) {
  const uint64_t beside =
      kBesideSorting + kThreadBesideSorting * static_cast<uint64_t>(pool.size() - 1);
  const uint64_t memory = std::max(options.memory, beside + options.memory / 4) - beside;
  if (options.kind == DedupKind::kSubstring)
    return std::unique_ptr<DocumentStep>(std::make_unique<CutSubstrings>(
        PONDER_TRY(match_substrings(notes, peers, memory, pool)), options));
  const bool near = options.kind == DedupKind::kNear;
  MatchOptions match{.keys = near ? static_cast<size_t>(options.near.bands) : 1,
                     .key_bytes = near ? size_t{8} : size_t{16},
                     .memory = memory,
                     .progress = progress};
  return std::unique_ptr<DocumentStep>(
      std::make_unique<RemoveDuplicates>(PONDER_TRY(match_duplicates(notes, peers, match, pool)),
                                         near ? "near_duplicate" : "exact_duplicate"));
}

// What only the comparison needed.
void remove_notes(const RunFolder& notes) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(notes.hidden(), error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("notes-") || name.starts_with("mail-")) old.push_back(entry.path());
    // Of a process that was killed while it sorted.
    if (name.starts_with("sort-") || name.starts_with("marks-")) fs::remove(entry.path(), error);
  }
  // The last round of mail stays: another process may still be reading it.
  const auto round = [](const fs::path& path) {
    return std::strtol(path.filename().c_str() + 5, nullptr, 10);
  };
  long last = 0;
  for (const fs::path& path : old)
    if (path.filename().string().starts_with("mail-")) last = std::max(last, round(path));
  for (const fs::path& path : old)
    if (path.filename().string().starts_with("notes-") || round(path) < last)
      fs::remove(path, error);
}

}  // namespace

OrderedJson dedup_settings(const DedupOptions& options) {
  if (options.kind == DedupKind::kExact) return {{"step", "dedup exact"}};
  if (options.kind == DedupKind::kSubstring)
    return {
        {"step", "dedup substring"}, {"words", options.words}, {"words_left", options.words_left}};
  return {{"step", "dedup near"},
          {"ngram", options.near.ngram},
          {"bands", options.near.bands},
          {"rows", options.near.rows},
          {"seed", options.near.seed}};
}

Result<StepTally> deduplicate(const DedupOptions& options, const InputOptions& input,
                              const std::vector<CorpusFile>& inputs, const StepRun& run,
                              Peers& peers, ThreadPool& pool) {
  const RunFolder notes = PONDER_TRY(RunFolder::open(run, "notes", inputs));
  const RunFolder main = PONDER_TRY(RunFolder::open(run, "main", inputs));
  if (std::filesystem::exists(main.folder() / "manifest.json")) return main.total(run.samples);
  const Isa isa = PONDER_TRY(choose_isa(""));
  NoteKeys first(options, isa);
  PONDER_TRY(run_shards(first, input, inputs, run, notes, pool));
  ::malloc_trim(0);  // or what batches took stays with the allocator while keys are sorted
  const auto second = PONDER_TRY(second_step(options, notes, peers, run.progress, pool));
  PONDER_TRY(run_shards(*second, input, inputs, run, main, pool));
  PONDER_TRY(peers.share(""));  // everybody has written
  if (peers.rank() != 0) return main.total(run.samples);
  const StepTally tally = PONDER_TRY(main.finish(run, OrderedJson::object()));
  remove_notes(notes);
  return tally;
}

}  // namespace ponder
