// One HTML page about a finished step: counts, what each rule removed, the distribution of what it
// measured, with a threshold to move, and samples of removed documents.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace ponder {

// Needs nothing from outside. Text of documents cannot become markup.
Result<std::string> data_report(const std::filesystem::path& folder);

}  // namespace ponder
