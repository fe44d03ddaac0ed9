#include "cli/serve_settings.hpp"

#include <algorithm>

#include "base/env.hpp"
#include "base/file.hpp"
#include "cli/format_text.hpp"
#include "io/printable.hpp"
#include "io/toml.hpp"

namespace ponder {
namespace {

using Strings = std::vector<std::string>;

constexpr int64_t kMostTokens = 16'777'216;

template <auto Member, int64_t kLeast, int64_t kMost>
Result<void> set_integer(ServeSettings& settings, const std::string& value,
                         const std::string& where) {
  using Target = std::remove_reference_t<decltype(settings.*Member)>;
  const int64_t number = PONDER_TRY(parse_integer(value, kLeast, kMost, where));
  if constexpr (std::is_integral_v<Target>)
    settings.*Member = static_cast<Target>(number);
  else
    settings.*Member = number;
  return {};
}

template <auto Member>
Strings get_integer(const ServeSettings& settings) {
  if constexpr (std::is_same_v<std::decay_t<decltype(settings.*Member)>, std::optional<int64_t>>) {
    if (!(settings.*Member)) return {};
    return {std::to_string(*(settings.*Member))};
  } else {
    return {std::to_string(settings.*Member)};
  }
}

template <auto Member>
Result<void> set_text(ServeSettings& settings, const std::string& value, const std::string&) {
  settings.*Member = value;
  return {};
}

template <auto Member>
Strings get_text(const ServeSettings& settings) {
  if ((settings.*Member).empty()) return {};
  return {settings.*Member};
}

// One of the words of `kWords`, which are separated by blanks.
template <auto Member, const char* kWords>
Result<void> set_word(ServeSettings& settings, const std::string& value, const std::string& where) {
  const std::string words = std::string(" ") + kWords + " ";
  if (value.empty() || value.find(' ') != std::string::npos ||
      words.find(" " + value + " ") == std::string::npos)
    return Failure{{.what = printable(value) + " is none of " + kWords, .where = where}};
  settings.*Member = value;
  return {};
}

constexpr char kIsas[] = "ref avx2 avx512 avx512_vnni amx";
constexpr char kKvTypes[] = "f16 f32 bf16 q8_0";
constexpr char kSpeculations[] = "off lookup mtp";
constexpr char kActivations[] = "int8 float";
constexpr char kMlaForms[] = "absorbed plain";

// NAME=PATH, or PATH: then the model is named after its file.
Result<void> add_model(ServeSettings& settings, const std::string& value,
                       const std::string& where) {
  const size_t sign = value.find('=');
  std::string name = value.substr(0, sign);
  std::string path = sign == std::string::npos ? value : value.substr(sign + 1);
  if (sign == std::string::npos || name.find('/') != std::string::npos) {
    path = value;
    name = std::filesystem::path(value).stem().string();
    if (name.empty()) name = std::filesystem::path(value).parent_path().filename().string();
  }
  if (name.empty() || path.empty())
    return Failure{{.what = printable(value) + " is no model",
                    .where = where,
                    .mend = "give NAME=PATH or PATH"}};
  for (const auto& [other, ignored] : settings.models)
    if (other == name)
      return Failure{{.what = "two models are named " + printable(name),
                      .where = where,
                      .mend = "give NAME=PATH"}};
  settings.models.emplace_back(std::move(name), std::move(path));
  return {};
}

Strings get_models(const ServeSettings& settings) {
  Strings list;
  for (const auto& [name, path] : settings.models) list.push_back(name + "=" + path);
  return list;
}

Result<void> add_origin(ServeSettings& settings, const std::string& value, const std::string&) {
  settings.cors_origins.push_back(value);
  return {};
}

Result<void> set_log_prompts(ServeSettings& settings, const std::string& value,
                             const std::string& where) {
  if (value != "true" && value != "false" && value != "1" && value != "0")
    return Failure{{.what = printable(value) + " is neither true nor false", .where = where}};
  settings.log_prompts = value == "true" || value == "1";
  return {};
}

Result<void> set_budget(ServeSettings& settings, const std::string& value,
                        const std::string& where) {
  settings.kv_budget = PONDER_TRY(parse_bytes(value, where));
  return {};
}

std::string environment_name(std::string_view name) {
  std::string result = "PONDER_";
  for (const char c : name) result += c == '-' ? '_' : static_cast<char>(c & ~0x20);
  return result;
}

Result<void> set_all(ServeSettings& settings, const ServeSetting& setting, const Strings& values,
                     const std::string& where) {
  if (values.size() > 1 && !setting.list)
    return Failure{
        {.what = "is given " + std::to_string(values.size()) + " times", .where = where}};
  for (const std::string& value : values) PONDER_TRY(setting.set(settings, value, where));
  return {};
}

// A value that is no list, as text.
Result<std::string> node_text(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  return Failure{{.what = "must be a text, a whole number, true or false", .where = where}};
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::span<const ServeSetting> serve_settings() {
  using S = ServeSettings;
  static const ServeSetting all[] = {
      {"model", "NAME=PATH",
       "A model; several may be given. Without NAME= its file names it. Default: tiny-r1, built in",
       true, add_model, get_models},
      {"host", "ADDRESS", "Where to listen; default: 127.0.0.1, this machine only", false,
       set_text<&S::host>, get_text<&S::host>},
      {"port", "N", "Default: 8080; 0: any that is free", false, set_integer<&S::port, 0, 65535>,
       get_integer<&S::port>},
      {"api-keys", "FILE", "Ask for one of the keys in this file; see `serve hash-key --help`",
       false, set_text<&S::api_keys>, get_text<&S::api_keys>},
      {"ctx", "N", "Tokens of one conversation; default: 32768 or the model's", false,
       set_integer<&S::context, 16, kMostTokens>, get_integer<&S::context>},
      {"parallel", "N", "Answers that are computed at a time; default: 64", false,
       set_integer<&S::parallel, 1, 4096>, get_integer<&S::parallel>},
      {"queue", "N", "Requests that may wait, others get 429; default: 256", false,
       set_integer<&S::queue, 1, 1'000'000>, get_integer<&S::queue>},
      {"kv-type", "NAME", "Keys and values are kept as f16 (default), f32, bf16 or q8_0", false,
       set_word<&S::kv_type, kKvTypes>, get_text<&S::kv_type>},
      {"kv-budget", "BYTES", "Memory for them, like 2G; default: a quarter of the machine's", false,
       set_budget,
       [](const S& s) {
         return s.kv_budget == 0 ? Strings() : Strings{std::to_string(s.kv_budget)};
       }},
      {"speculate", "HOW", "Guess tokens ahead: off (default), lookup, mtp", false,
       set_word<&S::speculate, kSpeculations>, get_text<&S::speculate>},
      {"draft", "N", "Tokens guessed at a time at most; default: 8", false,
       set_integer<&S::draft, 1, 64>, get_integer<&S::draft>},
      {"threads", "N", "Default: one per CPU", false, set_integer<&S::threads, 0, 4096>,
       get_integer<&S::threads>},
      {"isa", "NAME", "Instruction set: ref, avx2, avx512, avx512_vnni, amx; default: the best",
       false, set_word<&S::isa, kIsas>, get_text<&S::isa>},
      {"activations", "NAME", "int8 (default) or float", false,
       set_word<&S::activations, kActivations>, get_text<&S::activations>},
      {"mla", "NAME", "Form of latent attention: absorbed (default) or plain", false,
       set_word<&S::mla, kMlaForms>, get_text<&S::mla>},
      {"template", "NAME", "Chat template; default: the file's own", false,
       set_text<&S::template_name>, get_text<&S::template_name>},
      {"prefix-folder", "DIR",
       "Keep prefixes there (POST /v1/prefixes), and load them with a model", false,
       set_text<&S::prefix_folder>, get_text<&S::prefix_folder>},
      {"idle-unload", "SECONDS", "Unload models that nobody asked for so long; default: never",
       false, set_integer<&S::idle_unload, 0, 31'536'000>, get_integer<&S::idle_unload>},
      {"tls-cert", "FILE", "Certificates as PEM, for HTTPS", false, set_text<&S::tls_cert>,
       get_text<&S::tls_cert>},
      {"tls-key", "FILE", "Their private key", false, set_text<&S::tls_key>, get_text<&S::tls_key>},
      {"cors-origin", "ORIGIN", "Let pages from there use the API, like https://a.example or *",
       true, add_origin, [](const S& s) { return s.cors_origins; }},
      {"drain", "SECONDS", "Time for answers to be finished after SIGTERM; default: 30", false,
       set_integer<&S::drain, 0, 86400>, get_integer<&S::drain>},
      {"log-prompts", "", "Write requests and answers into the log", false, set_log_prompts,
       [](const S& s) { return Strings{s.log_prompts ? "true" : "false"}; }},
  };
  return all;
}

Result<uint64_t> parse_bytes(std::string_view text, const std::string& where) {
  constexpr std::string_view kUnits = "KMGT";
  std::string_view digits = text;
  if (digits.ends_with('B') || digits.ends_with('b')) digits.remove_suffix(1);
  if (digits.ends_with('i')) digits.remove_suffix(1);
  int shift = 0;
  if (!digits.empty())
    if (const size_t unit = kUnits.find(static_cast<char>(digits.back() & ~0x20));
        unit != std::string_view::npos) {
      shift = 10 * (static_cast<int>(unit) + 1);
      digits.remove_suffix(1);
    }
  const int64_t number = PONDER_TRY(parse_integer(digits, 0, INT64_MAX >> shift, where));
  return static_cast<uint64_t>(number) << shift;
}

Result<SettingValues> read_settings_file(const std::filesystem::path& path) {
  const std::string text = PONDER_TRY(read_file(path, 1 << 20));
  const toml::table table = PONDER_TRY(parse_toml(text, path.string()));
  SettingValues values;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const std::string where = path.string() + ": " + name;
    const auto known = serve_settings();
    if (std::none_of(known.begin(), known.end(),
                     [&](const ServeSetting& setting) { return name == setting.name; }))
      return Failure{{.what = "there is no such setting",
                      .where = where,
                      .mend = "they are named like the flags of ponder serve"}};
    if (const auto* list = node.as_array()) {
      for (const toml::node& item : *list)
        values[name].push_back(PONDER_TRY(node_text(item, where)));
    } else {
      values[name].push_back(PONDER_TRY(node_text(node, where)));
    }
  }
  return values;
}

Result<ServeSettings> resolve_settings(const SettingValues& flags, const SettingValues& file,
                                       const std::string& file_name) {
  ServeSettings settings;
  for (const ServeSetting& setting : serve_settings()) {
    const std::string name = setting.name;
    const std::string variable = environment_name(name);
    if (const auto flag = flags.find(name); flag != flags.end()) {
      PONDER_TRY(set_all(settings, setting, flag->second, "--" + name));
    } else if (const auto value = environment(variable.c_str())) {
      PONDER_TRY(set_all(settings, setting, {*value}, variable));
    } else if (const auto entry = file.find(name); entry != file.end()) {
      PONDER_TRY(set_all(settings, setting, entry->second, file_name + ": " + name));
    }
  }
  return settings;
}

std::string settings_text(const ServeSettings& settings) {
  std::string text;
  for (const ServeSetting& setting : serve_settings()) {
    const Strings values = setting.get(settings);
    if (values.empty()) continue;
    const bool bare = std::string_view(setting.type) == "N" ||
                      std::string_view(setting.type) == "SECONDS" ||
                      std::string_view(setting.type).empty();
    std::string list;
    for (const std::string& value : values)
      list += (list.empty() ? "" : ", ") + (bare ? value : quoted(value));
    text += std::string(setting.name) + " = " + (setting.list ? "[" + list + "]" : list) + "\n";
  }
  return text;
}

}  // namespace ponder
