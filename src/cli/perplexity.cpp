// ponder perplexity: how well a model predicts a text.
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/prompt_input.hpp"
#include "cli/terminal.hpp"
#include "engine/perplexity.hpp"

namespace ponder {
namespace {

struct PerplexityFlags {
  ModelFlags model;
  std::string file;
  std::optional<int64_t> context, pieces;
  bool json = false;
};

Result<int> measure(const PerplexityFlags& flags) {
  const std::string text = PONDER_TRY(read_input(flags.file));
  const Tokenizer tokenizer = PONDER_TRY(load_tokenizer(flags.model.model));
  const std::vector<int32_t> tokens = tokenizer.encode(text);
  if (tokens.size() < 2)
    return Failure{{.what = "too short: there is no token to predict",
                    .where = flags.file,
                    .mend = "give a longer text"}};
  const auto loaded = PONDER_TRY(load_model(flags.model));
  const int64_t context = PONDER_TRY(choose_context(flags.context, 512, loaded->model.config()));
  ProgressLine progress;
  const PerplexityResult result =
      PONDER_TRY(perplexity(loaded->runtime.context(), loaded->model, tokens,
                            {.context = context,
                             .max_pieces = flags.pieces.value_or(-1),
                             .kv_dtype = loaded->kv_dtype,
                             .progress = progress.sink()}));
  progress.clear();
  if (flags.json) {
    const OutputJson object = {
        {"nll", result.mean_nll}, {"perplexity", result.perplexity}, {"tokens", result.count}};
    PONDER_TRY(print(json_text(object)));
    return 0;
  }
  char line[160];
  std::snprintf(line, sizeof line, "perplexity %.4f, %.6f nats per token, over %lld tokens\n",
                result.perplexity, result.mean_nll, static_cast<long long>(result.count));
  PONDER_TRY(print(line));
  return 0;
}

}  // namespace

void add_perplexity_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("perplexity", "Measure how well a model predicts a text");
  auto flags = std::make_shared<PerplexityFlags>();
  add_model_flags(command, flags->model);
  command.add_option("--file", flags->file, "The text; -: standard input")
      ->required()
      ->type_name("FILE");
  add_integer_flag(command, "--ctx", flags->context, 2, 16'777'216)
      ->description("Tokens of one piece; default: 512");
  add_integer_flag(command, "--pieces", flags->pieces, 1, INT64_MAX)
      ->description("Only so many pieces from the start; default: all");
  command.add_flag("--json", flags->json, "Print {\"nll\", \"perplexity\", \"tokens\"}");
  command.footer(
      "The text is tokenised once, with a beginning-of-sequence token if the model's file asks "
      "for\n"
      "one, and cut into pieces of --ctx tokens; each starts from an empty cache, and in each "
      "every\n"
      "token after the first is predicted. An incomplete last piece is left out.\n\n"
      "Examples:\n"
      "  ponder perplexity -m model.gguf --file book.txt\n"
      "  ponder perplexity -m model.gguf --file book.txt --ctx 2048 --json");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return measure(*flags); }; });
}

}  // namespace ponder
