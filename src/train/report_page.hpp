// What surrounds the curves of a report: style, script and colours.
#pragma once

#include <cstddef>
#include <string_view>

namespace ponder {

std::string_view report_head();    // from <!doctype html> to the open <body>
std::string_view report_script();  // shows values under the pointer
std::string_view run_colour(size_t run);

}  // namespace ponder
