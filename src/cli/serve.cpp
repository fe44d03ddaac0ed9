// ponder serve: models for many people.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstring>
#include <iostream>
#include <thread>

#include "base/log.hpp"
#include "cli/builtin_model.hpp"
#include "cli/commands.hpp"
#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/serve_model.hpp"
#include "cli/serve_settings.hpp"
#include "cli/terminal.hpp"
#include "cli/version.hpp"
#include "serve/api.hpp"
#include "serve/http/server.hpp"

namespace ponder {
namespace {

constexpr std::chrono::milliseconds kLook{50};  // at what signals have asked for

struct ServeFlags {
  SettingValues values;
  std::string config;
  bool print_config = false;
  std::string key_name;
};

std::atomic<bool> reload_requested{false};

Result<ServeSettings> settings_of(const ServeFlags& flags) {
  SettingValues file;
  if (!flags.config.empty()) file = PONDER_TRY(read_settings_file(flags.config));
  ServeSettings settings = PONDER_TRY(resolve_settings(flags.values, file, flags.config));
  if (settings.models.empty()) settings.models.emplace_back(kBuiltinModel, kBuiltinModel);
  if (settings.tls_cert.empty() != settings.tls_key.empty())
    return Failure{{.what = "needs both --tls-cert and --tls-key", .where = "TLS"}};
  if (settings.draft && settings.speculate == "off")
    return Failure{{.what = "there is nothing to draft with",
                    .where = "--draft",
                    .mend = "add --speculate lookup or --speculate mtp"}};
  // So that a wrong path is an error now and not at the first request.
  for (const auto& [name, path] : settings.models) PONDER_TRY(find_model(path));
  return settings;
}

std::unique_ptr<ModelHost> make_host(const ServeSettings& settings) {
  ModelHostOptions options;
  for (const auto& [name, path] : settings.models) options.names.push_back(name);
  options.idle_unload = std::chrono::seconds(settings.idle_unload);
  options.load = [settings](const std::string& name, const ProgressSink& progress) {
    const auto model = std::find_if(settings.models.begin(), settings.models.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    return load_served_model(settings, name, model->second, progress);
  };
  return std::make_unique<ModelHost>(std::move(options));
}

HttpServerOptions server_options(const ServeSettings& settings, std::shared_ptr<Metrics> metrics) {
  HttpServerOptions options;
  options.host = settings.host;
  options.port = settings.port;
  options.tls_certificate = settings.tls_cert;
  options.tls_key = settings.tls_key;
  options.metrics = std::move(metrics);
  options.route = Api::route_of;
  options.access_log = [](std::string_view line) { print_error(std::string(line) + "\n"); };
  options.guard.key_file = settings.api_keys;
  options.guard.origins = settings.cors_origins;
  options.guard.refusal = Api::refusal_of;
  // The pages ask for a key themselves.
  for (const char* page : {"/", "/status", "/assets/*"}) options.guard.open_paths.push_back(page);
  return options;
}

std::string summary(const ServeSettings& settings, const HttpServer& server) {
  const std::string url = server.address();
  std::string text = "Ponder " + std::string(kVersion) + "\n\n";
  const auto row = [&](const char* name, const std::string& value) {
    text += "  " + std::string(name) + std::string(10 - std::strlen(name), ' ') + value + "\n";
  };
  row("chat", url + "/");
  row("status", url + "/status");
  row("API", url + "/v1   (OpenAI; Anthropic: /v1/messages)");
  for (const auto& [name, path] : settings.models) row("model", name + "   " + path);
  row("keys", settings.api_keys.empty() ? "none asked for" : settings.api_keys);
  if (settings.api_keys.empty() && settings.host != "127.0.0.1" && settings.host != "localhost" &&
      settings.host != "::1")
    row("warning", "anybody who reaches " + settings.host + " can use it; see --api-keys");
  return text + "\nCtrl-C finishes what is under way and stops.\n";
}

// Until a signal, or until `stop`; SIGHUP reads the key file again.
void wait_for_signal(HttpServer& server, const std::atomic<bool>& stop) {
  while (!stop_flag() && !stop) {
    std::this_thread::sleep_for(kLook);
    if (!reload_requested.exchange(false)) continue;
    const auto reloaded = server.reload();
    log(reloaded.ok() ? LogLevel::kInfo : LogLevel::kError,
        reloaded.ok() ? "keys are read again" : reloaded.error().message());
  }
}

// Lets answers be finished; another signal cuts them off.
void drain(HttpServer& server, std::chrono::seconds patience) {
  log(LogLevel::kInfo, "stopping; answers under way have " + std::to_string(patience.count()) +
                           " s, another signal stops at once");
  std::atomic<bool> over{false};
  std::thread watcher([&] {
    while (!over && signals_received() < 2) std::this_thread::sleep_for(kLook);
    if (!over) server.stop();
  });
  const bool finished = server.drain(patience);
  over = true;
  watcher.join();
  if (!finished) log(LogLevel::kWarning, "some answers were cut off");
}

Result<int> serve(const ServeFlags& flags) {
  const ServeSettings settings = PONDER_TRY(settings_of(flags));
  if (flags.print_config) {
    PONDER_TRY(print(settings_text(settings)));
    return 0;
  }
  set_interrupt_patience(3);
  ::signal(SIGHUP, [](int) { reload_requested = true; });
  const auto metrics = std::make_shared<Metrics>();
  // What is wrong with the first model is mostly wrong with the flags.
  std::string problem;
  std::atomic<bool> failed{false};
  Api api(make_host(settings), {.version = kVersion,
                                .metrics = metrics,
                                .log_prompts = settings.log_prompts,
                                .prefix_folder = settings.prefix_folder});
  auto server = PONDER_TRY(HttpServer::create(
      server_options(settings, metrics),
      [&api](std::shared_ptr<HttpExchange> exchange) { api.handle(std::move(exchange)); }));
  api.host().preload([&](const Error& error) {
    problem = error.what;
    failed = true;
  });
  PONDER_TRY(print(summary(settings, *server)));
  wait_for_signal(*server, failed);
  if (failed) return Failure{{.what = problem, .where = settings.models.front().first}};
  drain(*server, std::chrono::seconds(settings.drain));
  return 0;
}

// A line for a key file: of the key on standard input, or of a new one, which is shown.
Result<int> make_key_line(const std::string& name) {
  std::string key;
  if (is_terminal(STDIN_FILENO)) {
    key = random_id("pk-");
    print_error("The key is " + key + " and is not shown again.\n");
  } else {
    std::getline(std::cin, key);
    if (key.ends_with('\r')) key.pop_back();
  }
  if (key.size() < 8)
    return Failure{{.what = "a key of less than 8 characters can be guessed",
                    .where = "standard input",
                    .mend = "give the key as one line"}};
  const std::string line = name + ":" + hash_api_key(key);
  PONDER_TRY(parse_api_keys(line, "NAME"));
  PONDER_TRY(print(line + "\n"));
  return 0;
}

void add_settings(CLI::App& command, SettingValues& values) {
  for (const ServeSetting& setting : serve_settings()) {
    const std::string name = setting.name;
    const std::string flag = name == "model" ? "-m,--model" : "--" + name;
    if (*setting.type == '\0') {
      command.add_flag_callback(
          flag, [&values, name] { values[name] = {"true"}; }, setting.help);
      continue;
    }
    const auto check = [&setting](const std::string& text) {
      ServeSettings scratch;
      const auto set = setting.set(scratch, text, "");
      return set.ok() ? std::string() : set.error().message();
    };
    command.add_option(flag, values[name], setting.help)
        ->type_name(setting.type)
        ->check(check)
        ->expected(1)
        ->multi_option_policy(setting.list ? CLI::MultiOptionPolicy::TakeAll
                                           : CLI::MultiOptionPolicy::TakeLast)
        ->allow_extra_args(false);
  }
}

}  // namespace

void add_serve_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("serve", "Serve models: OpenAI's API, a web chat");
  auto flags = std::make_shared<ServeFlags>();
  add_settings(command, flags->values);
  command.add_option("--config", flags->config, "TOML file with these settings, by the same names")
      ->type_name("FILE");
  command.add_flag("--print-config", flags->print_config, "Print the settings as such a file");
  command.footer(
      "A flag goes before the environment (PONDER_PORT and so on), that before the file.\n"
      "SIGTERM or Ctrl-C finishes what is under way, a second one stops at once; SIGHUP reads the\n"
      "key file again.\n\n"
      "Examples:\n"
      "  ponder serve -m model.gguf\n"
      "  ponder serve -m small=a.gguf -m large=b.gguf --idle-unload 600\n"
      "  ponder serve -m model.gguf --host 0.0.0.0 --api-keys keys.txt --tls-cert c.pem --tls-key "
      "k.pem\n"
      "  ponder serve -m model.gguf --print-config > serve.toml");
  CLI::App& hash_key = *command.add_subcommand("hash-key", "Make a line of a key file");
  hash_key.add_option("NAME", flags->key_name, "Whose key it is")->required();
  hash_key.footer(
      "Reads the key from standard input; on a terminal a new one is made.\n\n"
      "Example:\n"
      "  ponder serve hash-key alice >> keys.txt");
  command.callback([flags, &command, &selection] {
    selection.command = [flags, hash = !command.get_subcommands().empty()]() -> Result<int> {
      // Options that were not given left empty lists.
      std::erase_if(flags->values, [](const auto& entry) { return entry.second.empty(); });
      return hash ? make_key_line(flags->key_name) : serve(*flags);
    };
  });
}

}  // namespace ponder
