// ponder tokenize: text to token ids and back.
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/prompt_input.hpp"
#include "cli/terminal.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

struct TokenizeFlags {
  ModelFlags model;
  std::string text, file, decode;
  bool has_text = false, has_decode = false;
  bool json = false, no_special = false, no_parse_special = false, no_pieces = false;
};

Result<std::string> decode(const TokenizeFlags& flags, const Tokenizer& tokenizer) {
  const std::string list = flags.decode == "-" ? PONDER_TRY(read_standard_input()) : flags.decode;
  const auto ids = PONDER_TRY(parse_ids(list, tokenizer.vocab_size(), "--decode"));
  const std::string text = tokenizer.decode(ids, flags.no_special);
  if (flags.json) return json_text({{"text", text}, {"tokens", ids}});
  return is_terminal(1) ? terminal_safe(text) + "\n" : text;
}

Result<std::string> encode(const TokenizeFlags& flags, const Tokenizer& tokenizer) {
  const std::string text =
      flags.has_text ? flags.text : PONDER_TRY(read_input(flags.file.empty() ? "-" : flags.file));
  const EncodeOptions options{.add_bos = !flags.no_special,
                              .parse_special = !flags.no_parse_special};
  const std::vector<int32_t> ids = tokenizer.encode(text, options);
  if (flags.json) {
    OutputJson object = {{"tokens", ids}};
    if (!flags.no_pieces) {
      auto& pieces = object["pieces"] = OutputJson::array();
      for (const int32_t id : ids) pieces.push_back(tokenizer.token_bytes(id));
    }
    return json_text(object);
  }
  std::string lines;
  for (const int32_t id : ids)
    lines += std::to_string(id) + "\t" + printable(tokenizer.token_bytes(id)) + "\n";
  return lines;
}

Result<int> tokenize(const TokenizeFlags& flags) {
  const Tokenizer tokenizer = PONDER_TRY(load_tokenizer(flags.model.model));
  const std::string text =
      PONDER_TRY(flags.has_decode ? decode(flags, tokenizer) : encode(flags, tokenizer));
  PONDER_TRY(print(text));
  return 0;
}

}  // namespace

void add_tokenize_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("tokenize", "Turn text into token ids, or ids into text");
  auto flags = std::make_shared<TokenizeFlags>();
  add_model_flags(command, flags->model, false);
  const auto* text = command.add_option("TEXT", flags->text, "The text; default: standard input");
  auto* file =
      command.add_option("--file", flags->file, "Read the text from a file; -: standard input")
          ->type_name("FILE");
  file->excludes("TEXT");
  auto* ids = command
                  .add_option("--decode", flags->decode,
                              "Turn ids like 1,2,3 into text; -: ids from standard input")
                  ->type_name("IDS");
  ids->excludes("TEXT")->excludes("--file");
  command.add_flag("--json", flags->json, "Print a JSON object");
  command.add_flag("--no-pieces", flags->no_pieces, "Leave the pieces of text out of the JSON");
  command.add_flag("--no-special", flags->no_special,
                   "Add no beginning-of-sequence token; with --decode: leave special tokens out");
  command.add_flag("--no-parse-special", flags->no_parse_special,
                   "Take the names of special tokens in the text as ordinary text");
  command.footer(
      "Prints one line per token: its id, a tab, its text in quotes. With --json:\n"
      "{\"tokens\": [ids], \"pieces\": [texts]}, where a piece that is no whole character has\n"
      "U+FFFD in its place; with --decode: {\"text\": text, \"tokens\": [ids]}.\n\n"
      "Examples:\n"
      "  ponder tokenize -m model.gguf \"Hello, world\"\n"
      "  ponder tokenize -m tokenizer.json --file book.txt --json --no-special\n"
      "  ponder tokenize -m model.gguf --decode 9707,11,1879");
  command.callback([flags, text, ids, &selection] {
    flags->has_text = text->count() > 0;
    flags->has_decode = ids->count() > 0;
    selection.command = [flags] { return tokenize(*flags); };
  });
}

}  // namespace ponder
