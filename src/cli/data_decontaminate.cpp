// ponder data decontaminate: training texts that hold evaluation items.
#include <CLI/CLI.hpp>

#include "cli/data.hpp"
#include "data/decontaminate/decontaminate_step.hpp"

namespace ponder {
namespace {

struct DecontaminateFlags {
  DataFlags data;
  DecontaminateOptions options;
  std::vector<std::string> against, fields;
};

Result<int> decontaminate(DecontaminateFlags& flags) {
  ProgressLine line;
  PONDER_TRY(prepare_data_flags(flags.data, line));
  EvaluationIndex index(flags.options.ngram, flags.options.shortest);
  InputOptions files;
  files.paths = flags.against;
  for (const CorpusFile& file : PONDER_TRY(find_inputs(files)))
    PONDER_TRY(index.add_file(file.path, flags.fields));
  if (index.items() == 0)
    return Failure{{.what = "there are no texts to look for", .where = "--against"}};
  flags.data.run.settings =
      decontaminate_settings(flags.options, flags.against, flags.fields, index);
  Decontaminate step(index, flags.options);
  return run_data_step(flags.data, step);
}

}  // namespace

void add_data_decontaminate(CLI::App& data, Selection& selection) {
  CLI::App& command =
      *data.add_subcommand("decontaminate", "Remove documents that hold evaluation items");
  auto flags = std::make_shared<DecontaminateFlags>();
  add_data_flags(command, flags->data);
  DecontaminateOptions& options = flags->options;
  command.add_option("--against", flags->against, "File with evaluation items: JSONL or text")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE");
  command.add_option("--fields", flags->fields, "Fields of its records (all that are texts)")
      ->delimiter(',')
      ->type_name("A,B");
  command.add_option("--ngram", options.ngram, "Words in a row that must not be shared (10)")
      ->check(CLI::Range(2, 1000))
      ->type_name("N");
  command
      .add_option("--shortest", options.shortest,
                  "Items with fewer than --ngram words count as a whole from so many on (3)")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  command.add_flag("--cut", options.cut, "Cut the passage out instead of removing the document");
  command.add_option("--margin", options.margin, "With --cut: characters around it (200)")
      ->check(CLI::Range(0, 1000000))
      ->type_name("N");
  command
      .add_option("--least-piece", options.least_piece,
                  "With --cut: shorter pieces between cuts are dropped (200)")
      ->check(CLI::Range(0, 1000000))
      ->type_name("N");
  command
      .add_option("--most-cuts", options.most_cuts,
                  "With --cut: a document with more is removed (10)")
      ->check(CLI::Range(0, 1000000))
      ->type_name("N");
  command.footer(
      "Case, punctuation and white space do not count. removed.jsonl names the item.\n\n"
      "Examples:\n"
      "  ponder data decontaminate --against HumanEval.jsonl --against gsm8k.jsonl in.jsonl -o "
      "out\n"
      "  ponder data decontaminate --ngram 13 --cut --against tests/ in.jsonl -o out   as GPT-3");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return decontaminate(*flags); }; });
}

}  // namespace ponder
