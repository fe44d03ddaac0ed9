// ponder convert: any model to one GGUF file.
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "model/convert.hpp"

namespace ponder {
namespace {

struct ConvertFlags {
  std::string input, output, type = "q8_0";
  int threads = 0;
  bool mtp = false, json = false;
};

Result<int> convert_model(const ConvertFlags& flags) {
  const auto input = PONDER_TRY(find_model(flags.input));
  ProgressLine progress;
  PONDER_TRY(convert({.input = input,
                      .output = flags.output,
                      .type = flags.type,
                      .keep_mtp = flags.mtp,
                      .threads = flags.threads,
                      .progress = progress.sink()}));
  progress.clear();
  std::error_code ignored;
  const uint64_t bytes = std::filesystem::file_size(flags.output, ignored);
  if (flags.json) {
    const OutputJson object = {{"path", flags.output}, {"type", flags.type}, {"bytes", bytes}};
    PONDER_TRY(print(json_text(object)));
  } else {
    PONDER_TRY(print(flags.output + "  " + format_bytes(static_cast<double>(bytes)) + "\n"));
  }
  return 0;
}

}  // namespace

void add_convert_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("convert", "Convert or quantise a model to GGUF");
  auto flags = std::make_shared<ConvertFlags>();
  command.add_option("IN", flags->input, "A folder with safetensors, or a .gguf file")->required();
  command.add_option("OUT,-o,--output", flags->output, "The .gguf file to write")->required();
  std::string types;
  for (const std::string& type : conversion_types()) types += (types.empty() ? "" : ", ") + type;
  command.add_option("--type", flags->type, "Format of the matrices, default q8_0: " + types)
      ->check(CLI::IsMember(conversion_types(), CLI::ignore_case))
      ->type_name("TYPE");
  const auto integer = [](const std::string& text) { return parse_integer(text, 0, 4096, ""); };
  command.add_option("--threads", flags->threads, "Threads; default: one per CPU")
      ->check(checked_by(integer))
      ->type_name("N");
  command.add_flag("--mtp", flags->mtp,
                   "Keep the multi-token-prediction block, for --speculate mtp; other programs may "
                   "refuse such a file");
  command.add_flag("--json", flags->json, "Print {\"path\", \"type\", \"bytes\"}");
  command.footer(
      "Vectors and routers stay f32. A matrix whose rows do not fit the format gets a finer one,\n"
      "which is told. The file appears only when all of it is written.\n\n"
      "Examples:\n"
      "  ponder convert DeepSeek-V2-Lite v2-lite.gguf --type q4_k_m\n"
      "  ponder convert DeepSeek-R1 r1.gguf --type q4_k_m --mtp\n"
      "  ponder convert model-f16.gguf model-q8.gguf --type q8_0");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return convert_model(*flags); }; });
}

}  // namespace ponder
