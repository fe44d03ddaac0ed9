// JSON Schema as a grammar. What a schema says in ways that a grammar cannot follow is refused by
// name; what is not said (additionalProperties beside properties, white space) is decided so that
// every text satisfies the schema: docs/user-guide.md lists it.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "text/grammar/grammar.hpp"

namespace ponder {

// What matches exactly texts of JSON that satisfy the schema (its drafts 4 to 2020-12). Errors say
// where with a JSON pointer.
Result<NodeId> add_schema(Grammar& grammar, std::string_view text);

}  // namespace ponder
