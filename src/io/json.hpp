// JSON that nobody has checked yet: parsed without exceptions, read by type and range.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.hpp"

namespace ponder {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;  // keys in the order of the text

// Fails on broken syntax, broken UTF-8, a key that appears twice in one object, numbers beyond
// double, and nesting deeper than `max_depth`. `where` names the source; errors add line and
// offset.
Result<Json> parse_json(std::string_view text, std::string_view where, int max_depth = 64);
Result<OrderedJson> parse_ordered_json(std::string_view text, std::string_view where,
                                       int max_depth = 64);

// The error of a parser that has read `offset` bytes of `text`; with 0 the place is not named.
Failure json_failure(std::string_view text, size_t offset, std::string_view where,
                     std::string_view what);

struct IntegerRange {
  int64_t least = INT64_MIN;
  int64_t most = INT64_MAX;
};
struct NumberRange {
  double least = -1e300;
  double most = 1e300;
};

// A field of an object. Fails with `where` and the key if the field is absent, of another kind or
// out of range. The *_or forms give `absent` for a field that is absent or null. A whole number
// written as 1.0 or 1e6 counts as an integer.
Result<int64_t> integer_field(const Json& object, std::string_view key, std::string_view where,
                              IntegerRange range = {});
Result<int64_t> integer_field_or(const Json& object, std::string_view key, std::string_view where,
                                 int64_t absent, IntegerRange range = {});
Result<double> number_field(const Json& object, std::string_view key, std::string_view where,
                            NumberRange range = {});
Result<double> number_field_or(const Json& object, std::string_view key, std::string_view where,
                               double absent, NumberRange range = {});
Result<bool> bool_field(const Json& object, std::string_view key, std::string_view where);
Result<bool> bool_field_or(const Json& object, std::string_view key, std::string_view where,
                           bool absent);
Result<std::string> text_field(const Json& object, std::string_view key, std::string_view where);
Result<std::string> text_field_or(const Json& object, std::string_view key, std::string_view where,
                                  std::string_view absent);

// nullptr if `object` is no object, or the field is absent or null.
const Json* find_field(const Json& object, std::string_view key);

}  // namespace ponder
