#include "text/reasoning_parser.hpp"

namespace ponder {

Channel ReasoningParser::push(int32_t id) {
  if (close_ && (id == close_ || id == open_)) {
    inside_ = id == open_;
    return Channel::kMarker;
  }
  return inside_ ? Channel::kReasoning : Channel::kContent;
}

}  // namespace ponder
