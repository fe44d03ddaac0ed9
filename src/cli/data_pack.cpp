// ponder data pack: documents to training shards.
#include <CLI/CLI.hpp>

#include "cli/data.hpp"
#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "data/pack/pack.hpp"
#include "data/run/folder_lock.hpp"

namespace ponder {
namespace {

struct PackFlags {
  DataFlags data;
  PackOptions options;
  std::string model;
  bool no_end = false;
};

Result<int> pack(PackFlags& flags) {
  ProgressLine line;
  PONDER_TRY(prepare_data_flags(flags.data, line));
  const auto inputs = PONDER_TRY(find_inputs(flags.data.input));
  const Tokenizer tokenizer = PONDER_TRY(load_tokenizer(flags.model));
  flags.options.end_token = !flags.no_end;
  flags.data.run.settings = pack_settings(flags.options, flags.model, tokenizer);
  const FolderLock lock = PONDER_TRY(FolderLock::take(flags.data.run.folder, flags.data.run.rank));
  ThreadPool pool(flags.data.run.threads);
  const PackCounts counts = PONDER_TRY(
      pack_documents(flags.options, tokenizer, flags.data.input, inputs, flags.data.run, pool));
  line.clear();
  const double room = static_cast<double>(counts.sequences) * flags.options.length;
  const double filled = room > 0 ? static_cast<double>(counts.tokens) / room : 0;
  if (flags.data.json) {
    OrderedJson json = counts.tally.counts();
    json["documents"] = counts.tally.kept;
    json["tokens"] = counts.tokens;
    json["sequences"] = counts.sequences;
    json["length"] = flags.options.length;
    json["filled"] = filled;
    PONDER_TRY(print(json_text(json)));
    return 0;
  }
  const StepTally& tally = counts.tally;
  std::string text = std::to_string(tally.kept) + " documents, ";
  if (tally.quarantined > 0) text += std::to_string(tally.quarantined) + " more quarantined, ";
  text += std::to_string(counts.tokens) + " tokens in " + std::to_string(counts.sequences) +
          " sequences of " + std::to_string(flags.options.length) + ", " +
          format_rate(100 * filled) + " % filled\n";
  PONDER_TRY(print(text));
  return 0;
}

}  // namespace

void add_data_pack(CLI::App& data, Selection& selection) {
  CLI::App& command = *data.add_subcommand("pack", "Tokenize, and fill sequences of one length");
  auto flags = std::make_shared<PackFlags>();
  add_data_flags(command, flags->data);
  command
      .add_option("-m,--model", flags->model, "Whose tokenizer: a GGUF, tokenizer.json or folder")
      ->required()
      ->type_name("PATH");
  command.add_option("--length", flags->options.length, "Tokens of a sequence (2048)")
      ->check(CLI::Range(8, 1 << 20))
      ->type_name("N");
  command.add_flag("--no-end", flags->no_end, "No end-of-text token behind each document");
  command.footer("Example:\n  ponder data pack clean -o packed -m tokenizer.json --length 1024");
  command.callback([flags, &selection] { selection.command = [flags] { return pack(*flags); }; });
}

}  // namespace ponder
