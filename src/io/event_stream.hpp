// Server-sent events as they arrive: the data of each, one line.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ponder {

class EventStream {
 public:
  // `sink` gets the text behind each "data:". Its error ends the reading.
  using Sink = std::function<Result<void>(std::string_view data)>;
  explicit EventStream(Sink sink) : sink_(std::move(sink)) {}

  // Bytes as they come, cut anywhere. Errors: a line beyond 16 MiB, the sink's.
  Result<void> push(std::string_view bytes);

 private:
  Sink sink_;
  std::string line_;
};

}  // namespace ponder
