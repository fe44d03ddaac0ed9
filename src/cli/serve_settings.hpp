// The settings of `ponder serve`: each is a flag, an environment variable PONDER_NAME and a key of
// the configuration file, in this order of precedence.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "engine/engine.hpp"

namespace ponder {

struct ServeSettings {
  std::vector<std::pair<std::string, std::string>> models;  // name, path
  std::string host = "127.0.0.1";
  uint16_t port = 8080;
  std::string api_keys, tls_cert, tls_key;  // files
  std::vector<std::string> cors_origins;
  std::optional<int64_t> context;
  int64_t parallel = EngineOptions().parallel;
  int64_t queue = EngineOptions().queue;
  uint64_t kv_budget = 0;  // bytes; 0: EngineOptions' own
  std::string kv_type = "f16", speculate = "off", isa, activations = "int8", mla = "absorbed";
  std::optional<int64_t> draft;
  int threads = 0;
  std::string template_name, prefix_folder;
  int64_t idle_unload = 0;  // seconds; 0: never
  int64_t drain = 30;       // seconds
  bool log_prompts = false;
};

struct ServeSetting {
  const char* name;  // of the flag, without dashes
  const char* type;  // of its value, for help; empty: it is a switch
  const char* help;
  bool list = false;  // may be given several times
  Result<void> (*set)(ServeSettings& settings, const std::string& value, const std::string& where);
  // As the configuration file has it; nothing if it is not set.
  std::vector<std::string> (*get)(const ServeSettings& settings);
};

std::span<const ServeSetting> serve_settings();

// Values by name; of lists in their order.
using SettingValues = std::map<std::string, std::vector<std::string>>;

// The keys of a TOML file. Errors name file and line: broken syntax, unknown keys, tables.
Result<SettingValues> read_settings_file(const std::filesystem::path& path);

// `flags` over the environment over `file`. Errors name where the value came from.
Result<ServeSettings> resolve_settings(const SettingValues& flags, const SettingValues& file,
                                       const std::string& file_name);

// A configuration file that says the same.
std::string settings_text(const ServeSettings& settings);

// "512M", "2G", "1500000": bytes, with K, M, G or T of 1024.
Result<uint64_t> parse_bytes(std::string_view text, const std::string& where);

}  // namespace ponder
