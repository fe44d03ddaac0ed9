// Regular expressions as parts of a grammar: the subset that ECMA-262, Python and PCRE agree on.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "text/grammar/grammar.hpp"

namespace ponder {

struct RegexOptions {
  // The node of one character of a set: as it is, or as a string of JSON spells it.
  std::function<NodeId(const CharSet&)> spell;
  // The pattern may match anywhere in the text, unless ^ and $ forbid; else it matches all of it.
  bool search = false;
  // How many characters the whole text may have; most −1: any number.
  int64_t least = 0, most = -1;
  std::string where = {};  // for errors; the offset is added
};

// Supported: characters, escapes (\n \t \xHH \uHHHH \u{H} \cX …), . \d \w \s and their opposites,
// \p{L} \p{N} \p{P} \p{S} \p{M}, classes, groups (also named and non-capturing), |, ? * + {m,n} and
// their lazy forms, ^ and $ at the ends of the pattern or of an alternative of it. All else is
// refused by name. Where dialects differ about what a class holds, it is what all of them accept.
Result<NodeId> add_regex(Grammar& grammar, std::string_view pattern, const RegexOptions& options);

}  // namespace ponder
