// Where a Python lives, so that a sandbox can show it to programs.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace ponder {

struct Interpreter {
  std::string path;  // absolute; not resolved: its place tells a virtual environment
  std::vector<std::string> folders;  // outside of /usr, which it reads its modules from
};

// Of a path that may be relative. Errors: nothing is there; it is outside of /usr and neither in a
// virtual environment (PEP 405) nor in an installation (bin/ beside lib/python3.N), so that
// nobody knows what it needs.
Result<Interpreter> find_interpreter(const std::string& path);

}  // namespace ponder
