// Ends a text at the first of some strings, wherever the text is cut into pieces.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "text/traced_text.hpp"

namespace ponder {

// Strings to stop at. The one that is complete first counts; of several complete at once, the
// longest. Copies are cheap.
class StopStrings {
 public:
  static constexpr size_t kMost = 16;
  static constexpr size_t kMostBytes = 1024;  // of one

  StopStrings() = default;  // none
  // Fails on too many, empty or too long strings, and on such that are no UTF-8.
  static Result<StopStrings> create(const std::vector<std::string>& strings);

 private:
  friend class StopScanner;
  // An automaton (Aho, Corasick 1975) over bytes: a node for each start of a string. Nodes come in
  // order of depth; 0 is the empty start.
  struct Node {
    std::vector<std::pair<char, int>> next = {};
    int fallback = 0;    // the node of the longest other start that this one ends with
    size_t depth = 0;    // bytes
    size_t matched = 0;  // bytes of the longest string that this one ends with, 0: none
  };
  std::shared_ptr<const std::vector<Node>> nodes_;
};

// Looks for them in one text.
class StopScanner {
 public:
  explicit StopScanner(StopStrings strings) : strings_(std::move(strings)) {}

  // The text that is certain to be shown, in front of a stop string if there is one now.
  TracedText push(TracedText text);
  // What was held back, as the text ends here or something else follows. Not after a match.
  TracedText flush();

  bool matched() const { return matched_; }
  // After a match: the string, and what came behind it.
  const TracedText& stop() const { return stop_; }
  const TracedText& rest() const { return held_; }

 private:
  StopStrings strings_;
  int node_ = 0;
  TracedText held_;  // may be the start of a string
  TracedText stop_;
  bool matched_ = false;
};

}  // namespace ponder
