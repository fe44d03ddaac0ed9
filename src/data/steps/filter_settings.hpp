// Filters from a file of rules:
//
//   preset = "gopher"          # optional; what follows changes or adds filters
//   [gopher_quality]
//   min_words = 30
//   max_symbol_ratio = "off"
//   [expression]
//   keep = ["words > 10"]
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/rules/filter.hpp"

namespace ponder {

using Filters = std::vector<std::unique_ptr<TextFilter>>;

// Filters of the TOML text, in its order. Unknown names are errors with the line.
Result<Filters> parse_filters(std::string_view toml, const std::string& where);

// A file of rules that says the same as these filters, with a remark on every option.
std::string filters_as_toml(const Filters& filters);

}  // namespace ponder
