// JSON as Python's json.dumps(value, ensure_ascii=False, indent=…) writes it, which is what the
// filter `tojson` of chat templates does at Hugging Face.
#pragma once

#include <string>

#include "io/json.hpp"

namespace ponder {

// `indent` −1: one line, with ", " and ": ". Bytes that are not UTF-8 become U+FFFD.
std::string python_json(const OrderedJson& value, int indent = -1);

}  // namespace ponder
