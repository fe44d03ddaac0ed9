// Grammars written in GBNF, the notation of llama.cpp:
// https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "text/grammar/grammar.hpp"

namespace ponder {

// The rule `root` of a grammar's text. Errors name line and column. References to tokens (<…>) are
// refused.
Result<RuleId> add_gbnf(Grammar& grammar, std::string_view text);

}  // namespace ponder
