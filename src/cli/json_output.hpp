// JSON that the program prints: keys in the order written, one object a line.
#pragma once

#include <string>

#include "io/json.hpp"

namespace ponder {

using OutputJson = OrderedJson;

// With a line feed behind it. Bytes that are not UTF-8 become U+FFFD. `indent` −1: one line.
inline std::string json_text(const OutputJson& value, int indent = -1) {
  return value.dump(indent, ' ', false, OutputJson::error_handler_t::replace) + "\n";
}

}  // namespace ponder
