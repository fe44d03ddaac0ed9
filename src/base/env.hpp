// The only place that reads the environment.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace ponder {

// The variable's value; nothing if it is unset or empty.
std::optional<std::string> environment(const char* name);

// All of it, as a program that is started gets it.
char** whole_environment();

// Where models are cached: $PONDER_CACHE, else $XDG_CACHE_HOME/ponder, else ~/.cache/ponder.
std::filesystem::path cache_folder();

}  // namespace ponder
