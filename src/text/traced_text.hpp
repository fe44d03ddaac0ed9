// Text that knows where its tokens begin, so that whatever is cut from it still tells how many
// tokens it stands for: those that begin in it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

class TracedText {
 public:
  std::string_view bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  int tokens() const { return static_cast<int>(starts_.size()); }

  void add_token(std::string_view bytes);
  void append(TracedText more);
  // The first `size` bytes; the text keeps the others. A token that begins at the cut stays.
  TracedText take(size_t size);
  TracedText take_all();
  // Other bytes for the same tokens.
  TracedText replaced(std::string_view bytes) const;

 private:
  std::string bytes_;
  std::vector<size_t> starts_;  // of tokens, ascending
};

// Takes the whole characters at the front; bytes that cannot become one any more give U+FFFD.
// `all`: so does an unfinished one at the end.
TracedText take_characters(TracedText& text, bool all);

// How many bytes at the end of the text may be the start of one of these.
size_t partial_suffix(std::string_view text, std::span<const std::string_view> marks);

struct FoundMark {
  size_t position = std::string_view::npos;
  std::string_view mark = {};
};
// The first of these in the text; of several at one place the one listed first.
FoundMark find_mark(std::string_view text, std::span<const std::string_view> marks);

inline constexpr std::string_view kWhiteSpace = " \t\r\n";

}  // namespace ponder
