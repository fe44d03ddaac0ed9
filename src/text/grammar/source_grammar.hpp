// The grammar of a constraint's source.
#pragma once

#include "base/result.hpp"
#include "text/grammar/constraint.hpp"
#include "text/grammar/grammar.hpp"

namespace ponder {

// Adds the rule that matches what `source` allows. Errors as of compile_constraint().
Result<RuleId> add_source(Grammar& grammar, const TokenVocabulary& vocabulary,
                          const ConstraintSource& source);

}  // namespace ponder
