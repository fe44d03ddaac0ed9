// ponder synth: a model of a real shape with random weights.
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "model/convert.hpp"
#include "model/named_shapes.hpp"
#include "model/synth.hpp"

namespace ponder {
namespace {

struct SynthFlags {
  std::string shape, output, type = "q4_k_m", seed = "0";
  std::optional<int64_t> layers;
  int threads = 0;
  bool json = false;
};

Result<int> write_model(const SynthFlags& flags) {
  const uint64_t seed = PONDER_TRY(parse_seed(flags.seed, "--seed"));
  ProgressLine progress;
  PONDER_TRY(synth({.shape = flags.shape,
                    .output = flags.output,
                    .type = flags.type,
                    .layers = flags.layers,
                    .seed = seed,
                    .threads = flags.threads,
                    .progress = progress.sink()}));
  progress.clear();
  std::error_code ignored;
  const uint64_t bytes = std::filesystem::file_size(flags.output, ignored);
  if (flags.json) {
    const OutputJson object = {
        {"path", flags.output}, {"shape", flags.shape}, {"type", flags.type}, {"bytes", bytes}};
    PONDER_TRY(print(json_text(object)));
  } else {
    PONDER_TRY(print(flags.output + "  " + format_bytes(static_cast<double>(bytes)) + "\n"));
  }
  return 0;
}

std::string shapes_text() {
  std::string text;
  size_t column = 0;
  for (const std::string& name : shape_names()) {
    if (column + name.size() > 90) {
      text += "\n";
      column = 0;
    }
    text += "  " + name;
    column += name.size() + 2;
  }
  return text;
}

}  // namespace

void add_synth_command(CLI::App& app, Selection& selection) {
  CLI::App& command =
      *app.add_subcommand("synth", "Write a model of a real shape with random weights");
  auto flags = std::make_shared<SynthFlags>();
  const auto shape = [](const std::string& text) { return named_shape(text); };
  command.add_option("--shape", flags->shape, "Whose shape: see below")
      ->required()
      ->check(checked_by(shape))
      ->type_name("NAME");
  command
      .add_option("--quant", flags->type,
                  "Format of the matrices, as `convert --type`; default: " + flags->type)
      ->check(CLI::IsMember(conversion_types(), CLI::ignore_case))
      ->type_name("TYPE");
  command.add_option("-o,--out", flags->output, "The .gguf file to write")
      ->required()
      ->type_name("FILE");
  add_integer_flag(command, "--layers", flags->layers, 1, 1024)
      ->description("Layers, instead of all of them");
  const auto seed = [](const std::string& text) { return parse_seed(text, ""); };
  command.add_option("--seed", flags->seed, "Same seed, same bytes; default: 0")
      ->check(checked_by(seed))
      ->type_name("N");
  const auto integer = [](const std::string& text) { return parse_integer(text, 0, 4096, ""); };
  command.add_option("--threads", flags->threads, "Threads; default: one per CPU")
      ->check(checked_by(integer))
      ->type_name("N");
  command.add_flag("--json", flags->json, "Print {\"path\", \"shape\", \"type\", \"bytes\"}");
  command.footer(
      "For measuring speed and memory without a download: the model computes, but says nothing.\n"
      "Shapes, each also as NAME-N-layers:\n" +
      shapes_text() +
      "\n\n"
      "Examples:\n"
      "  ponder synth --shape deepseek-v2-lite --quant q4_k --out v2-lite.gguf\n"
      "  ponder synth --shape deepseek-v3-4-layers --quant q4_k_m --out v3-4.gguf\n"
      "  ponder synth --shape qwen2-0.5b --quant q8_0 --out half.gguf --layers 2");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return write_model(*flags); }; });
}

}  // namespace ponder
