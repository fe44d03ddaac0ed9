// Names and values from files as they may appear in messages.
#pragma once

#include <string>
#include <string_view>

namespace ponder {

// `text` between single quotes: control characters and bytes that are not UTF-8 become \xNN, so
// that a hostile name cannot drive a terminal; what is beyond about 100 bytes is left out.
std::string printable(std::string_view text);

// Length of the valid UTF-8 sequence at the start of `text`: 1 to 4, or 0 if there is none.
size_t utf8_length(std::string_view text);

}  // namespace ponder
