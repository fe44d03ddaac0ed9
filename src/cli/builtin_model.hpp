// The model that is part of the program: tiny-r1, made by recipes/tiny-r1.toml.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace ponder {

inline constexpr std::string_view kBuiltinModel = "tiny-r1";  // what -m calls it

std::span<const std::byte> builtin_model();  // a GGUF file

// A path that opens it, for as long as the program runs. Error: no memory for it.
Result<std::filesystem::path> builtin_model_path();

// For people who ask it something: what it can do, and how to get a larger one.
std::string_view builtin_model_note();

}  // namespace ponder
