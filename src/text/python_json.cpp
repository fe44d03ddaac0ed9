#include "text/python_json.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace ponder {
namespace {

// Python's repr(): the fewest digits that give the number back, an exponent from 1e16 on and
// below 1e-4.
std::string python_float(double value) {
  std::array<char, 32> buffer;
  const double size = std::abs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer.data(), end.ptr);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

// Line break and indentation of a depth, if there is any.
std::string line_start(int indent, int depth) {
  return indent < 0 ? "" : "\n" + std::string(static_cast<size_t>(indent * depth), ' ');
}

void write(const OrderedJson& value, int indent, int depth, std::string& out) {
  if (value.is_number_float()) {
    out += python_float(value.get<double>());
    return;
  }
  if (!value.is_structured() || value.empty()) {
    out += value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
    return;
  }
  out += value.is_object() ? '{' : '[';
  bool first = true;
  for (const auto& item : value.items()) {
    if (!first) out += indent < 0 ? ", " : ",";
    first = false;
    out += line_start(indent, depth + 1);
    if (value.is_object()) {
      write(item.key(), indent, depth, out);
      out += ": ";
    }
    write(item.value(), indent, depth + 1, out);
  }
  out += line_start(indent, depth);
  out += value.is_object() ? '}' : ']';
}

}  // namespace

std::string python_json(const OrderedJson& value, int indent) {
  std::string text;
  write(value, indent, 0, text);
  return text;
}

}  // namespace ponder
