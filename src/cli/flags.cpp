#include "cli/flags.hpp"

#include <CLI/CLI.hpp>
#include <chrono>

#include "base/env.hpp"
#include "cli/builtin_model.hpp"
#include "cli/format_text.hpp"
#include "cli/terminal.hpp"
#include "device/cpu.hpp"
#include "io/hub.hpp"

namespace ponder {

void add_isa_flag(CLI::App& command, std::string& isa) {
  const std::vector<std::string> names = isa_names();
  command
      .add_option("--isa", isa,
                  "Instruction set: " + CLI::detail::join(names, ", ") + "; default: the best")
      ->check(CLI::IsMember(names))
      ->type_name("NAME");
}

void add_model_flags(CLI::App& command, ModelFlags& flags, bool compute) {
  command.add_option("-m,--model", flags.model, "A .gguf file, a folder, or what `pull` was given")
      ->required()
      ->type_name("PATH");
  if (!compute) return;
  const auto integer = [](const std::string& text) { return parse_integer(text, 0, 4096, ""); };
  command.add_option("--threads", flags.threads, "Threads; default: one per CPU")
      ->check(checked_by(integer))
      ->type_name("N");
  add_isa_flag(command, flags.isa);
  const auto of = [&](const char* name, std::string& target, const char* other, const char* help) {
    command.add_option(name, target, std::string(help) + "; default: " + target)
        ->check(CLI::IsMember({target, std::string(other)}))
        ->type_name("NAME");
  };
  of("--activations", flags.activations, flags.activations == "int8" ? "float" : "int8",
     "int8 (fast) or float (reference)");
  command
      .add_option(
          "--kv-type", flags.kv_type,
          "Format of cached keys and values: f32, f16, bf16, q8_0; default: " + flags.kv_type)
      ->check(CLI::IsMember({"f32", "f16", "bf16", "q8_0"}))
      ->type_name("NAME");
  of("--mla", flags.mla, "plain", "Form of latent attention, absorbed or plain");
}

void use_builtin_model(CLI::App& command, ModelFlags& flags) {
  flags.model = kBuiltinModel;
  command.get_option("--model")->required(false)->description(
      "A .gguf file, a folder, or what `pull` was given; default: tiny-r1, the built-in model");
}

CLI::Option* add_integer_flag(CLI::App& command, const std::string& name,
                              std::optional<int64_t>& target, int64_t least, int64_t most) {
  const auto parse = [least, most](const std::string& text) {
    return parse_integer(text, least, most, "");
  };
  const auto set = [&target, parse](const std::string& text) { target = parse(text).value(); };
  return command.add_option_function<std::string>(name, set)
      ->check(checked_by(parse))
      ->type_name("N");
}

CLI::Option* add_context_flag(CLI::App& command, std::optional<int64_t>& target) {
  return add_integer_flag(command, "--ctx", target, 1, 16'777'216)
      ->description("Tokens that the prompt and the answer may take together");
}

Result<std::unique_ptr<LoadedModel>> load_model(const ModelFlags& flags) {
  const auto start = std::chrono::steady_clock::now();
  const auto path = PONDER_TRY(find_model(flags.model));
  RuntimeOptions runtime_options{.threads = flags.threads, .isa = flags.isa};
  if (flags.activations == "float") runtime_options.activations = Activations::kFloat;
  Runtime runtime = PONDER_TRY(Runtime::create(runtime_options));
  ProgressLine progress;
  const ModelOptions model_options{
      .mla = flags.mla == "plain" ? MlaForm::kPlain : MlaForm::kAbsorbed,
      .load_mtp = flags.load_mtp,
      .progress = progress.sink()};
  Model model = PONDER_TRY(Model::open(path, runtime.context(), model_options));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return std::unique_ptr<LoadedModel>(
      new LoadedModel{.runtime = std::move(runtime),
                      .model = std::move(model),
                      .kv_dtype = parse_dtype(flags.kv_type).value(),
                      .load_seconds = seconds.count()});
}

Result<std::filesystem::path> find_model(const std::string& name) {
  std::error_code ignored;
  if (std::filesystem::exists(name, ignored)) return std::filesystem::path(name);
  const auto cached = cache_folder() / name;
  if (std::filesystem::path(name).is_relative() && std::filesystem::exists(cached, ignored))
    return cached;
  if (name == kBuiltinModel) return builtin_model_path();
  if (const auto pulled = find_pulled(cache_folder(), name); !pulled.empty()) return pulled;
  return Failure{{.what = "no such file or folder",
                  .where = name,
                  .mend = "check the path, or download a model: ponder pull OWNER/NAME"}};
}

Result<Tokenizer> load_tokenizer(const std::string& name) {
  auto path = PONDER_TRY(find_model(name));
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored) &&
      !std::filesystem::exists(path / "tokenizer.json", ignored))
    path = PONDER_TRY(resolve_model(path));
  return Tokenizer::load(path);
}

Result<ChatTemplate> choose_template(const std::string& name, const Tokenizer& tokenizer,
                                     const std::string& model) {
  if (!name.empty()) return ChatTemplate::by_name(name);
  const std::string source = tokenizer.chat_template();
  if (!source.empty()) return ChatTemplate::recognise(source, model);
  std::string names;
  for (const std::string& known : ChatTemplate::names()) names += " " + known;
  return Failure{{.what = "the model has no chat template",
                  .where = model,
                  .mend = "choose one with --template:" + names + "; or continue text with --raw"}};
}

Result<int64_t> choose_context(std::optional<int64_t> flag, int64_t wanted, const Config& config) {
  if (!flag) return std::max<int64_t>(1, std::min(wanted, config.context));
  if (*flag > config.context)
    return Failure{{.what = std::to_string(*flag) + " is more than the model was made for",
                    .where = "--ctx",
                    .mend = "give at most " + std::to_string(config.context)}};
  return *flag;
}

}  // namespace ponder
