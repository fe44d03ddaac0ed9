// Tells thoughts from the answer while tokens arrive. Works on token ids, so a tag that is spelled
// out in ordinary text does not count.
#pragma once

#include <cstdint>
#include <optional>

namespace ponder {

enum class Channel {
  kReasoning,
  kContent,
  kMarker,  // the tag itself: not shown
};

// A tag always switches; a repeated <think> and a stray </think> change nothing and are dropped. An
// answer cut off inside its thoughts stays reasoning. Without a token for </think> all is content.
class ReasoningParser {
 public:
  // `starts_inside`: the prompt ends in <think> (ChatTemplate::opens_thinking).
  ReasoningParser(std::optional<int32_t> open, std::optional<int32_t> close, bool starts_inside)
      : open_(open), close_(close), inside_(starts_inside && close) {}

  // The channel that this token belongs to.
  Channel push(int32_t id);
  bool inside() const { return inside_; }

 private:
  std::optional<int32_t> open_, close_;
  bool inside_;
};

}  // namespace ponder
