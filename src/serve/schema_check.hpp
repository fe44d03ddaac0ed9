// Requests checked against JSON Schema: the same schemas are published in /openapi.json, so what
// is written there is what is checked.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/json.hpp"

namespace ponder {

// Checks `value` against `schema`, whose "$ref"s "#/components/schemas/NAME" are looked up in
// `definitions`. An error's `where` is the place, like "messages[0].role". Known are type, enum,
// const, minimum, maximum, minLength, maxLength, minItems, maxItems, maxProperties, items,
// properties, required, additionalProperties and anyOf; of an optional property null counts as
// absent. "x-mend" says what to do about a value that does not fit.
Result<void> check_schema(const OrderedJson& value, const OrderedJson& schema,
                          const OrderedJson& definitions, const std::string& where = "");

// The schema as others are to read it: optional properties may be null, and there are no "x-mend".
OrderedJson published_schema(const OrderedJson& schema);

}  // namespace ponder
