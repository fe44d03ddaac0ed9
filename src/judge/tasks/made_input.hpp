// Inputs of programs that are too long to be written down: a file says how they are made.
//
// An input is a text, or a list of parts, one after the other. A part is a text, or
//   {"rows": N, "columns": [...], "end": "\n", "seed": S}
// which is N rows of columns with a space between them and `end` ("\n" if absent) behind each. In
// row r, from 0, a column gives
//   "text"                            itself
//   [low, high]                       a number from low to high
//   [low, high, low_step, high_step]  a number from low + r·low_step to high + r·high_step
//   ["text", "text", …]               one of these
// Each column that chooses takes the next number x of SplitMix64(S), row by row from the left, and
// chooses low + x mod (high − low + 1), or the text x mod count.
#pragma once

#include <string>

#include "base/result.hpp"
#include "io/json.hpp"

namespace ponder {

// Errors: another shape than above, low above high in a row, more than 64 MiB.
Result<std::string> made_input(const Json& input, const std::string& where);

}  // namespace ponder
