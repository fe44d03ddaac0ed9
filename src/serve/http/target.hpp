// What a request line asks for.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ponder {

struct RequestTarget {
  std::string path;       // decoded, absolute, without "." and ".." segments; or "*"
  std::string query;      // after '?', as it came
  std::string authority;  // of an absolute target, else empty
};

// Fails on what is no path, broken escapes, paths above the root, control characters (also
// escaped ones) and bytes that are not UTF-8 (RFC 9112, section 3.2; RFC 3986, 5.2.4).
Result<RequestTarget> parse_target(std::string_view target);

}  // namespace ponder
