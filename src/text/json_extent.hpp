// Where a JSON value in a stream of text ends. Looks at strings and brackets only: what it calls a
// value may still be wrong inside.
#pragma once

#include <cstdint>

namespace ponder {

class JsonExtent {
 public:
  enum class State { kMore, kDone, kBroken };
  static constexpr int kMostDepth = 64;

  // `in_object`: the value is an object whose { has been read.
  explicit JsonExtent(bool in_object = false);

  // The value (an object, an array or a string) must begin with the first character. After kDone
  // and kBroken nothing may follow.
  State push(char c);

 private:
  State open(bool object);
  State close(bool object);

  uint64_t objects_ = 0;  // bit d: the bracket at depth d is {
  int depth_ = 0;
  bool in_string_ = false, escaped_ = false;
};

}  // namespace ponder
