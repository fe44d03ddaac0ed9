// Text for a command from its arguments, a file or standard input.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace ponder {

// All of standard input, at most 256 MB. Says on standard error that it waits, if nothing comes
// for some seconds and that is a terminal.
Result<std::string> read_standard_input();
// A file, or standard input for "-"; at most 256 MB.
Result<std::string> read_input(const std::string& file);

// The words of a prompt and, if standard input is a pipe or a file, what is in it below them.
// `exact`: the text is kept byte by byte, else line ends at its end are dropped. Fails if there is
// nothing but white space.
Result<std::string> gather_prompt(const std::vector<std::string>& words, bool exact);

}  // namespace ponder
