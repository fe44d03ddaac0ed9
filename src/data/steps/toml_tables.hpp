// Reading of TOML that several recipes share.
#pragma once

#include <string>

#include "data/steps/filter_settings.hpp"
#include "io/toml.hpp"

namespace ponder {

// A number, truth, text or list of texts as the text that set_filter_option() takes; texts of a
// list are ended by kListSeparator.
inline constexpr char kListSeparator = '\x1f';
Result<std::string> toml_words(const toml::node& node, const std::string& where);

// As parse_filters(), of a table; what is no table in it but `preset` is left to the caller.
Result<Filters> filters_of_table(const toml::table& table, const std::string& where);

}  // namespace ponder
