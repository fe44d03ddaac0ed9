#include "cli/message_reader.hpp"

#include <utility>

namespace ponder {
namespace {

constexpr std::string_view kQuotes = "\"\"\"";

// Drops one trailing """ and says whether there was one.
bool drop_quotes(std::string_view& line) {
  std::string_view trimmed = line.substr(0, line.find_last_not_of(" \t") + 1);
  if (!trimmed.ends_with(kQuotes)) return false;
  line = trimmed.substr(0, trimmed.size() - kQuotes.size());
  return true;
}

}  // namespace

bool MessageReader::push(std::string_view line) {
  const bool first = !std::exchange(open_, true);
  plain_ = first && line.find('\n') == std::string_view::npos;
  if (first && line.starts_with(kQuotes)) {
    quoted_ = true;
    plain_ = false;
    line.remove_prefix(kQuotes.size());
    if (line.find_first_not_of(" \t") == std::string_view::npos) return false;
  }
  if (!first && !text_.empty()) text_ += '\n';
  bool complete = true;
  if (quoted_) {
    complete = drop_quotes(line);
  } else if (line.ends_with('\\')) {
    line.remove_suffix(1);
    plain_ = complete = false;
  }
  text_ += line;
  if (!complete) return false;
  // The line feed before a closing """ on a line of its own is not part of the message.
  if (quoted_ && line.empty() && text_.ends_with('\n')) text_.pop_back();
  open_ = quoted_ = false;
  return true;
}

std::string MessageReader::take() {
  std::string message = std::exchange(text_, {});
  clear();
  return message;
}

void MessageReader::clear() {
  open_ = quoted_ = plain_ = false;
  text_.clear();
}

}  // namespace ponder
