#include "text/traced_text.hpp"

#include <algorithm>
#include <utility>

#include "text/unicode.hpp"

namespace ponder {

void TracedText::add_token(std::string_view bytes) {
  starts_.push_back(bytes_.size());
  bytes_ += bytes;
}

void TracedText::append(TracedText more) {
  for (const size_t start : more.starts_) starts_.push_back(bytes_.size() + start);
  bytes_ += more.bytes_;
}

TracedText TracedText::take(size_t size) {
  TracedText front;
  const auto cut = std::lower_bound(starts_.begin(), starts_.end(), size);
  front.bytes_ = bytes_.substr(0, size);
  front.starts_.assign(starts_.begin(), cut);
  bytes_.erase(0, size);
  starts_.erase(starts_.begin(), cut);
  for (size_t& start : starts_) start -= size;
  return front;
}

TracedText TracedText::take_all() { return std::exchange(*this, {}); }

TracedText TracedText::replaced(std::string_view bytes) const {
  TracedText text;
  text.bytes_ = bytes;
  text.starts_.resize(starts_.size(), 0);
  return text;
}

TracedText take_characters(TracedText& text, bool all) {
  TracedText taken;
  size_t whole = 0;
  while (whole < text.size()) {
    const Utf8Step step = utf8_step(text.bytes().substr(whole));
    if (step.kind == Utf8Step::kCharacter) {
      whole += step.length;
      continue;
    }
    if (step.kind == Utf8Step::kUnfinished && !all) break;
    taken.append(text.take(std::exchange(whole, 0)));
    taken.append(text.take(step.length).replaced("\uFFFD"));
  }
  taken.append(text.take(whole));
  return taken;
}

size_t partial_suffix(std::string_view text, std::span<const std::string_view> marks) {
  size_t longest = 0;
  for (const std::string_view mark : marks)
    for (size_t size = std::min(mark.size() - 1, text.size()); size > longest; --size)
      if (text.ends_with(mark.substr(0, size))) longest = size;
  return longest;
}

FoundMark find_mark(std::string_view text, std::span<const std::string_view> marks) {
  FoundMark first;
  for (const std::string_view mark : marks) {
    const size_t position = text.find(mark);
    if (position < first.position) first = {position, mark};
  }
  return first;
}

}  // namespace ponder
