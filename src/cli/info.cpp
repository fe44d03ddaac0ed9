// ponder info: what this machine can run, and what a model is.
#include <CLI/CLI.hpp>
#include <map>

#include "cli/commands.hpp"
#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "io/printable.hpp"
#include "model/model_files.hpp"
#include "ops/kernel_table.hpp"

namespace ponder {
namespace {

struct InfoFlags {
  std::string model, isa;
  bool json = false;
};

Result<OutputJson> machine_info(const std::string& wanted_isa) {
  const Runtime runtime = PONDER_TRY(Runtime::create({.isa = wanted_isa}));
  OutputJson kernels = OutputJson::object();
  OutputJson available = OutputJson::array();
  for (const Isa isa : available_isas()) {
    available.push_back(isa_name(isa));
    OutputJson& of_isa = kernels[std::string(isa_name(isa))] = OutputJson::object();
    for (const KernelStatus& status : kernel_status(isa))
      of_isa[status.name] = status.native ? "native" : "reference";
  }
  return OutputJson{{"cpu", cpu_model_name()},
                    {"isa", isa_name(runtime.context().isa)},
                    {"isas", available},
                    {"threads", runtime.context().pool->size()},
                    {"memory_bytes", system_memory("MemTotal")},
                    {"memory_available_bytes", system_memory("MemAvailable")},
                    {"kernels", kernels}};
}

OutputJson attention_info(const AttentionConfig& attention) {
  if (!attention.mla)
    return {{"kind", attention.kv_heads == attention.heads ? "multi-head" : "grouped-query"},
            {"heads", attention.heads},
            {"kv_heads", attention.kv_heads},
            {"head_dim", attention.head_dim}};
  const MlaConfig& mla = *attention.mla;
  return {{"kind", "multi-head latent"}, {"heads", attention.heads}, {"q_rank", mla.q_rank},
          {"kv_rank", mla.kv_rank},      {"nope_dim", mla.nope_dim}, {"rope_dim", mla.rope_dim},
          {"value_dim", mla.value_dim}};
}

OutputJson config_info(const Config& config) {
  const ParameterCount count = count_parameters(config);
  OutputJson info = {{"architecture", architecture_name(config.architecture)},
                     {"parameters", count.total},
                     {"active_parameters", count.active},
                     {"mtp_parameters", count.mtp},
                     {"layers", config.layers},
                     {"hidden", config.hidden},
                     {"vocabulary", config.vocab},
                     {"context", config.context},
                     {"attention", attention_info(config.attention)},
                     {"kv_bytes_per_token", kv_bytes_per_token(config, DType::kF16)}};
  if (config.moe)
    info["experts"] = {{"count", config.moe->gate.experts}, {"active", config.moe->gate.chosen}};
  return info;
}

// What a GGUF file that was cut after its metadata can still tell.
Result<OutputJson> metadata_info(const std::filesystem::path& path) {
  const GgufFile file = PONDER_TRY(GgufFile::open_metadata(path));
  OutputJson info = {{"path", path.string()}, {"tensors", "not in this file"}};
  if (const auto config = config_from_gguf(file); config.ok()) {
    info.update(config_info(config.value()));
  } else {
    info["architecture"] = PONDER_TRY(file.text_or("general.architecture", "unknown"));
  }
  return info;
}

Result<OutputJson> files_info(const std::filesystem::path& path) {
  auto opened = open_model_files(path);
  if (!opened.ok()) {
    if (is_gguf_file(path)) {
      auto metadata = metadata_info(path);
      if (metadata.ok()) return metadata;
    }
    return Failure{std::move(opened).take_error()};
  }
  const ModelFiles& files = opened.value();
  std::map<std::string, uint64_t> bytes_by_format;
  for (const std::string& name : files.tensors.names()) {
    const TensorView* view = files.tensors.find(name);
    bytes_by_format[std::string(dtype_name(view->dtype))] += view->bytes.size();
  }
  OutputJson info = {{"path", files.path.string()},
                     {"bytes", files.tensors.total_bytes()},
                     {"formats", bytes_by_format}};
  info.update(config_info(files.config));
  return info;
}

Result<OutputJson> model_info(const std::string& name) {
  const auto path = PONDER_TRY(find_model(name));
  OutputJson info = PONDER_TRY(files_info(path));
  const auto tokenizer = load_tokenizer(name);
  if (!tokenizer.ok()) {
    info["tokenizer"] = nullptr;
    info["tokenizer_error"] = tokenizer.error().message();
    return info;
  }
  const Tokenizer& t = tokenizer.value();
  info["tokenizer"] = {{"kind", "byte-level BPE"},
                       {"pretokenizer", t.pretokenizer()},
                       {"tokens", t.vocab_size()},
                       {"adds_bos", t.adds_bos()}};
  const std::string source = t.chat_template();
  info["template"] = nullptr;
  if (source.empty()) return info;
  const auto chat = ChatTemplate::recognise(source, name);
  if (chat.ok()) info["template"] = chat.value().name();
  info["template_known"] = chat.ok();
  if (chat.ok()) info["reasons"] = chat.value().reasons();
  return info;
}

std::string row(std::string_view name, const std::string& value) {
  std::string line(name);
  line.resize(std::max<size_t>(line.size() + 1, 14), ' ');
  return line + terminal_safe(value) + "\n";
}

double number(const OutputJson& object, const char* key) { return object[key].get<double>(); }

std::string machine_text(const OutputJson& machine) {
  std::string isas, kernels;
  for (const auto& isa : machine["isas"])
    isas += (isas.empty() ? "" : ", ") + isa.get<std::string>();
  for (const auto& [isa, of_isa] : machine["kernels"].items()) {
    if (isa == "ref") continue;
    int native = 0;
    std::string missing;
    for (const auto& [kernel, status] : of_isa.items()) {
      native += status == "native";
      if (status != "native") missing += (missing.empty() ? "" : ", ") + kernel;
    }
    kernels += row(kernels.empty() ? "kernels" : "",
                   isa + ": " + std::to_string(native) + " of its own" +
                       (missing.empty() ? "" : "; the reference does " + missing));
  }
  return row("processor", machine["cpu"]) +
         row("instructions", machine["isa"].get<std::string>() + " (can do: " + isas + ")") +
         row("threads", std::to_string(machine["threads"].get<int>())) +
         row("memory", format_bytes(number(machine, "memory_bytes")) + ", " +
                           format_bytes(number(machine, "memory_available_bytes")) + " free") +
         kernels;
}

std::string attention_text(const OutputJson& attention) {
  const std::string kind = attention["kind"], heads = attention["heads"].dump();
  if (attention.contains("kv_rank"))
    return kind + ", " + heads + " heads, rank " + attention["kv_rank"].dump();
  return kind + ", " + heads + " heads, " + attention["kv_heads"].dump() + " for keys, of " +
         attention["head_dim"].dump();
}

std::string config_text(const OutputJson& model) {
  const double kv = number(model, "kv_bytes_per_token");
  std::string text = row("parameters", format_count(number(model, "parameters")) + ", " +
                                           format_count(number(model, "active_parameters")) +
                                           " of them active for a token");
  text += row("shape", model["layers"].dump() + " layers, width " + model["hidden"].dump());
  text += row("attention", attention_text(model["attention"]));
  if (model.contains("experts"))
    text += row("experts", model["experts"]["count"].dump() + ", " +
                               model["experts"]["active"].dump() + " for a token");
  text += row("context", model["context"].dump() + " tokens");
  return text +
         row("cache", format_bytes(kv) + " for a token, " + format_bytes(4096 * kv) + " for 4096");
}

std::string model_text(const OutputJson& model) {
  std::string text = row("model", model["path"]) + row("architecture", model["architecture"]);
  if (model.contains("bytes")) {
    std::string formats;
    for (const auto& [format, bytes] : model["formats"].items())
      formats += (formats.empty() ? "" : ", ") + format + " " + format_bytes(bytes.get<double>());
    text += row("tensors", format_bytes(number(model, "bytes")) + ": " + formats);
  } else {
    text += row("tensors", "not in this file");
  }
  if (model.contains("parameters")) text += config_text(model);
  if (model["tokenizer"].is_null())
    return text + row("tokenizer", "none: " + model["tokenizer_error"].get<std::string>());
  text += row("tokenizer", model["tokenizer"]["pretokenizer"].get<std::string>() + ", " +
                               model["tokenizer"]["tokens"].dump() + " tokens");
  if (!model["template"].is_null())
    return text + row("template", model["template"].get<std::string>() +
                                      (model["reasons"] == true ? " (reasons)" : ""));
  return text + row("template", model.contains("template_known")
                                    ? "unknown: choose one with --template"
                                    : "none");
}

Result<int> info(const InfoFlags& flags) {
  OutputJson all = PONDER_TRY(machine_info(flags.isa));
  if (!flags.model.empty()) all["model"] = PONDER_TRY(model_info(flags.model));
  if (flags.json) {
    PONDER_TRY(print(json_text(all, 2)));
    return 0;
  }
  std::string text = machine_text(all);
  if (all.contains("model")) text += "\n" + model_text(all["model"]);
  PONDER_TRY(print(text));
  return 0;
}

}  // namespace

void add_info_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("info", "Describe this machine and a model");
  auto flags = std::make_shared<InfoFlags>();
  command
      .add_option("-m,--model", flags->model, "A .gguf file, a folder, or what `pull` was given")
      ->type_name("PATH");
  add_isa_flag(command, flags->isa);
  command.add_flag("--json", flags->json, "Print a JSON object");
  command.footer(
      "Examples:\n"
      "  ponder info\n"
      "  ponder info -m model.gguf\n"
      "  ponder info -m model.gguf --json | jq .model.parameters");
  command.callback([flags, &selection] { selection.command = [flags] { return info(*flags); }; });
}

}  // namespace ponder
