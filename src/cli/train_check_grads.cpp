// ponder train check-grads: a model's gradients as a file, for comparison.
#include <CLI/CLI.hpp>

#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/prompt_input.hpp"
#include "cli/terminal.hpp"
#include "cli/train.hpp"
#include "train/check_grads.hpp"

namespace ponder {
namespace {

struct CheckGradsFlags {
  std::string model, tokens, out, isa;
  int threads = 0;
  bool json = false;
};

Result<int> write_gradients(const CheckGradsFlags& flags) {
  const auto path = PONDER_TRY(find_model(flags.model));
  const Runtime runtime = PONDER_TRY(Runtime::create(
      {.threads = flags.threads, .isa = flags.isa, .activations = Activations::kFloat}));
  const std::string list = flags.tokens == "-" ? PONDER_TRY(read_standard_input()) : flags.tokens;
  const Config config = PONDER_TRY(read_config(path));
  const auto tokens = PONDER_TRY(parse_ids(list, config.vocab, "--tokens"));
  const double loss = PONDER_TRY(check_grads(runtime.context(), path, tokens, flags.out));
  if (flags.json) {
    PONDER_TRY(print(json_text(OutputJson{{"loss", loss}, {"path", flags.out}})));
  } else {
    PONDER_TRY(print("loss " + std::to_string(loss) + "  " + flags.out + "\n"));
  }
  return 0;
}

}  // namespace

void add_train_check_grads_command(CLI::App& train, Selection& selection) {
  CLI::App& command = *train.add_subcommand(
      "check-grads", "Write the gradients of given tokens to a file, for comparison");
  auto flags = std::make_shared<CheckGradsFlags>();
  command.add_option("-m,--model", flags->model, "The model: a folder or a .gguf file")
      ->required()
      ->type_name("PATH");
  command.add_option("--tokens", flags->tokens, "Token ids like 1,2,3; -: from standard input")
      ->required()
      ->type_name("IDS");
  command.add_option("-o,--out", flags->out, "The safetensors file to write")
      ->required()
      ->type_name("FILE");
  const auto integer = [](const std::string& text) { return parse_integer(text, 0, 4096, ""); };
  command.add_option("--threads", flags->threads, "Threads; default: one per CPU")
      ->check(checked_by(integer))
      ->type_name("N");
  add_isa_flag(command, flags->isa);
  command.add_flag("--json", flags->json, "Print {\"loss\", \"path\"}");
  command.footer(
      "The file has `loss`, the mean cross-entropy of the tokens without auxiliary losses, and\n"
      "`grad.NAME` for every tensor of the checkpoint, all f32.\n\n"
      "Example:\n"
      "  ponder train check-grads -m FOLDER --tokens 1,2,3 --out gradients.safetensors");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return write_gradients(*flags); }; });
}

}  // namespace ponder
