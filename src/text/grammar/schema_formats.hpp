// The formats of strings that JSON Schema names, as regular expressions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ponder {

// Whole-text patterns whose every text is of the format; not every text of the format matches.
// Nothing for an unknown one.
std::optional<std::string> format_pattern(std::string_view format);
std::string format_names();  // with commas

}  // namespace ponder
