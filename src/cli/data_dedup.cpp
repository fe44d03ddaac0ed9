// ponder data dedup: documents, near copies and repeated passages that occur more than once.
#include <CLI/CLI.hpp>

#include "cli/data.hpp"
#include "data/dedup/dedup.hpp"
#include "data/run/folder_lock.hpp"

namespace ponder {
namespace {

struct DedupFlags {
  DataFlags data;
  DedupOptions dedup;
};

Result<int> deduplicate_documents(DedupFlags& flags) {
  ProgressLine line;
  PONDER_TRY(prepare_data_flags(flags.data, line));
  if (flags.data.run.folder == "-")
    return Failure{{.what = "two passes need a folder for the output", .where = "--output"}};
  flags.dedup.memory = flags.data.memory_bytes;
  const auto inputs = PONDER_TRY(find_inputs(flags.data.input));
  for (const CorpusFile& file : inputs)
    if (file.path == "-")
      return Failure{{.what = "standard input cannot be read twice",
                      .where = "IN",
                      .mend = "write it to a file first"}};
  flags.data.run.settings = dedup_settings(flags.dedup);
  const Place place = place_of_run(flags.data.run);
  const FolderLock lock = PONDER_TRY(FolderLock::take(flags.data.run.folder, place.rank));
  const auto peers =
      PONDER_TRY(make_peers(place, flags.data.run.folder + "/.ponder", flags.data.run.progress));
  ThreadPool pool(flags.data.run.threads);
  const StepTally tally = PONDER_TRY(peers->guard(
      deduplicate(flags.dedup, flags.data.input, inputs, flags.data.run, *peers, pool)));
  if (peers->rank() != 0) return 0;
  return report_counts(flags.data, tally, false);
}

CLI::App& add_kind(CLI::App& dedup, Selection& selection, const char* name, const char* help,
                   DedupKind kind, std::shared_ptr<DedupFlags> flags) {
  CLI::App& command = *dedup.add_subcommand(name, help);
  flags->dedup.kind = kind;
  add_data_flags(command, flags->data);
  command.callback([flags, &selection] {
    selection.command = [flags] { return deduplicate_documents(*flags); };
  });
  return command;
}

}  // namespace

void add_data_dedup(CLI::App& data, Selection& selection) {
  CLI::App& dedup = *data.add_subcommand("dedup", "Remove what occurs more than once");
  dedup.require_subcommand(1);
  add_kind(dedup, selection, "exact", "Documents with the same text", DedupKind::kExact,
           std::make_shared<DedupFlags>());
  auto near = std::make_shared<DedupFlags>();
  CLI::App& command = add_kind(dedup, selection, "near", "Documents with nearly the same words",
                               DedupKind::kNear, near);
  MinHashOptions& options = near->dedup.near;
  command.add_option("--bands", options.bands, "Bands of a signature (14)")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
  command.add_option("--rows", options.rows, "Hash functions of a band (8)")
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  command.add_option("--ngram", options.ngram, "Words that are compared together (5)")
      ->check(CLI::Range(1, 100))
      ->type_name("N");
  command.add_option("--seed", options.seed, "Of the hash functions (1)")->type_name("S");
  command.footer(
      "Of documents that share a band, directly or through others, the one with the smallest id\n"
      "stays. Two with Jaccard similarity J share one with probability 1-(1-J^rows)^bands.\n\n"
      "Example:\n"
      "  mpirun -n 4 ponder data dedup near crawl/*.jsonl.zst -o unique --memory 8G");
  auto substring = std::make_shared<DedupFlags>();
  CLI::App& passages =
      add_kind(dedup, selection, "substring", "Passages that occur before, cut out of documents",
               DedupKind::kSubstring, substring);
  passages.add_option("--words", substring->dedup.words, "Shortest passage (50)")
      ->check(CLI::Range(5, 100000))
      ->type_name("N");
  passages
      .add_option("--words-left", substring->dedup.words_left,
                  "A document with fewer words left is removed (1)")
      ->check(CLI::Range(0, 100000))
      ->type_name("N");
}

}  // namespace ponder
