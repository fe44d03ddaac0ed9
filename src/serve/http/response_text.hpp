// The bytes of an answer's head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serve/http/exchange.hpp"

namespace ponder {

enum class BodyFraming { kLength, kChunked, kUntilClose };

struct ResponseHead {
  int status = 200;
  std::string_view content_type;
  std::string_view request_id;
  const HttpHeaders* headers = nullptr;  // of the handler
  const HttpHeaders* more = nullptr;     // of the guard
  BodyFraming framing = BodyFraming::kLength;
  uint64_t length = 0;  // of the body, for kLength
  bool keep_alive = true;
};

// Ends with the empty line. Headers whose name is no token, or that the server sets itself, are
// left out; control characters in values become spaces, so that no value can begin another line.
std::string response_head(const ResponseHead& head);

// A chunk of a chunked body; an empty text gives the last one.
std::string chunk(std::string_view text);

std::string_view reason_phrase(int status);

}  // namespace ponder
