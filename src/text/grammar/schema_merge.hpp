// What two schemas say together, as one schema.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/json.hpp"

namespace ponder {

// Whether a keyword says what values are valid. All else (title, description, x-…) says nothing.
bool is_constraint(std::string_view keyword);
// Whether a schema has such a keyword.
bool constrains(const OrderedJson& schema);

// A schema that is satisfied by what satisfies both. Schemas of parts that both have are left to
// each other under allOf. Fails at what cannot be merged; `at` is the place for the error.
Result<OrderedJson> merged_schemas(OrderedJson first, const OrderedJson& second,
                                   const std::string& at);

Failure schema_failure(std::string what, const std::string& at, std::string mend);

}  // namespace ponder
