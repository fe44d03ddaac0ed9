// ponder train merge: a model and a LoRA adapter become one model.
#include <CLI/CLI.hpp>

#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/terminal.hpp"
#include "cli/train.hpp"
#include "train/adapter_files.hpp"
#include "train/model_output.hpp"

namespace ponder {
namespace {

struct MergeFlags {
  std::string model, adapter, out, dtype = "bf16";
  int threads = 0;
};

Result<int> merge(const MergeFlags& flags) {
  const auto base = PONDER_TRY(find_model(flags.model));
  const AdapterConfig config = PONDER_TRY(read_adapter_config(flags.adapter));
  const Runtime runtime =
      PONDER_TRY(Runtime::create({.threads = flags.threads, .activations = Activations::kFloat}));
  const auto model =
      PONDER_TRY(TrainableModel::open(base, runtime.context(),
                                      {.lora_rank = config.rank,
                                       .lora_alpha = static_cast<float>(config.alpha),
                                       .lora_on = config.modules}));
  PONDER_TRY(load_adapter(*model, flags.adapter));
  PONDER_TRY(model->save(flags.out, parse_dtype(flags.dtype).value()));
  PONDER_TRY(copy_tokenizer(base, flags.out));
  PONDER_TRY(print(flags.out + "\n"));
  return 0;
}

}  // namespace

void add_train_merge_command(CLI::App& train, Selection& selection) {
  CLI::App& command = *train.add_subcommand("merge", "Make one model of a model and an adapter");
  auto flags = std::make_shared<MergeFlags>();
  command.add_option("-m,--model", flags->model, "The model that the adapter was trained on")
      ->required()
      ->type_name("PATH");
  command.add_option("--adapter", flags->adapter, "Folder with adapter_config.json, as PEFT's")
      ->required()
      ->type_name("DIR");
  command.add_option("--out", flags->out, "Folder for config.json and model.safetensors")
      ->required()
      ->type_name("DIR");
  command.add_option("--type", flags->dtype, "Format of the matrices: bf16 (default), f16, f32")
      ->check(CLI::IsMember({"f32", "bf16", "f16"}))
      ->type_name("TYPE");
  const auto integer = [](const std::string& text) { return parse_integer(text, 0, 4096, ""); };
  command.add_option("--threads", flags->threads, "Threads; default: one per CPU")
      ->check(checked_by(integer))
      ->type_name("N");
  command.footer(
      "Examples:\n"
      "  ponder train merge -m Qwen2.5-0.5B --adapter runs/first/adapter --out merged\n"
      "  ponder convert merged merged.gguf --type q8_0");
  command.callback([flags, &selection] { selection.command = [flags] { return merge(*flags); }; });
}

}  // namespace ponder
