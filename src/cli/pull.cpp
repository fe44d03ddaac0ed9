// ponder pull: a model from a hub into the cache.
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "io/hub.hpp"

namespace ponder {
namespace {

struct PullFlags {
  std::string name, hub;
  bool json = false;
};

Result<int> pull_model(const PullFlags& flags) {
  PullOptions options = PullOptions::from_environment(flags.name);
  if (!flags.hub.empty()) options.hub = flags.hub;
  ProgressLine progress;
  options.progress = progress.sink();
  const auto path = PONDER_TRY(pull(options));
  progress.clear();
  if (flags.json) {
    const OutputJson object = {{"path", path.string()}};
    PONDER_TRY(print(json_text(object)));
  } else {
    PONDER_TRY(print(path.string() + "\n"));
  }
  return 0;
}

}  // namespace

void add_pull_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("pull", "Download a model from a hub");
  auto flags = std::make_shared<PullFlags>();
  command.add_option("NAME", flags->name, "OWNER/NAME, OWNER/NAME:FILE.gguf or OWNER/NAME:Q4_K_M")
      ->required();
  command.add_option("--hub", flags->hub, "Address of the hub; default: https://huggingface.co")
      ->type_name("URL");
  command.add_flag("--json", flags->json, "Print {\"path\"}");
  command.footer(
      "Prints the path of the model, for -m. An interrupted download goes on where it stopped;\n"
      "what is complete is checked by SHA-256 and not fetched again. Models are kept under\n"
      "$PONDER_CACHE, $XDG_CACHE_HOME/ponder or ~/.cache/ponder. For models that need a login,\n"
      "put a token into HF_TOKEN.\n\n"
      "Examples:\n"
      "  ponder pull Qwen/Qwen2.5-0.5B-Instruct\n"
      "  ponder pull Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q4_K_M\n"
      "  ponder run -m \"$(ponder pull OWNER/NAME)\" \"Hello\"");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return pull_model(*flags); }; });
}

}  // namespace ponder
