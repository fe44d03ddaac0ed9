// A socket on the loopback address that nobody should ever reach.
#pragma once

#include "judge/sandbox/fd.hpp"

namespace ponder {

struct Listener {
  Fd fd;  // invalid on failure
  int port = 0;
};

Listener listen_on_loopback();

}  // namespace ponder
