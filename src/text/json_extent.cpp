#include "text/json_extent.hpp"

#include <string_view>

namespace ponder {

JsonExtent::JsonExtent(bool in_object) {
  if (in_object) open(true);
}

JsonExtent::State JsonExtent::open(bool object) {
  if (depth_ == kMostDepth) return State::kBroken;
  const uint64_t bit = uint64_t{1} << depth_;
  objects_ = object ? objects_ | bit : objects_ & ~bit;
  ++depth_;
  return State::kMore;
}

JsonExtent::State JsonExtent::close(bool object) {
  if (depth_ == 0 || ((objects_ >> (depth_ - 1) & 1) != 0) != object) return State::kBroken;
  return --depth_ == 0 ? State::kDone : State::kMore;
}

JsonExtent::State JsonExtent::push(char c) {
  if (in_string_) {
    if (escaped_)
      escaped_ = false;
    else if (c == '\\')
      escaped_ = true;
    else if (c == '"')
      in_string_ = false;
    return !in_string_ && depth_ == 0 ? State::kDone : State::kMore;
  }
  if (c == '{' || c == '[') return open(c == '{');
  if (c == '}' || c == ']') return close(c == '}');
  if (c == '"') {
    in_string_ = true;
    return State::kMore;
  }
  // Between them: commas, colons, numbers, words.
  constexpr std::string_view kOthers = " \t\r\n,:+-.";
  const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E';
  return depth_ > 0 && (word || kOthers.find(c) != kOthers.npos) ? State::kMore : State::kBroken;
}

}  // namespace ponder
