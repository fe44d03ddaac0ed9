#include "base/env.hpp"

#include <unistd.h>

#include <cstdlib>

namespace ponder {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

char** whole_environment() { return ::environ; }

std::filesystem::path cache_folder() {
  if (auto path = environment("PONDER_CACHE")) return *path;
  if (auto path = environment("XDG_CACHE_HOME")) return std::filesystem::path(*path) / "ponder";
  if (auto path = environment("HOME")) return std::filesystem::path(*path) / ".cache" / "ponder";
  return std::filesystem::temp_directory_path() / "ponder";
}

}  // namespace ponder
