// Ends a text at the first of some strings, wherever pieces of it are cut.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace ponder {

// The string that is complete first counts; of several complete at once, the longest.
class StopStrings {
 public:
  static constexpr size_t kMost = 16;
  static constexpr size_t kMostBytes = 1024;  // of one

  StopStrings() = default;
  // Fails on too many, empty or too long strings.
  static Result<StopStrings> create(const std::vector<std::string>& strings);
};

}  // namespace ponder
