// Where `chat` reads lines from: a terminal with editing and history, or anything else.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace ponder {

enum class LineStatus { kLine, kEnd, kInterrupted };

struct Line {
  LineStatus status = LineStatus::kEnd;
  std::string text;  // without the line feed that ends it
};

class LineSource {
 public:
  virtual ~LineSource() = default;
  // Waits for a line. `prompt` is shown on a terminal only. kInterrupted: Ctrl-C; the text is what
  // had been typed.
  virtual Line read(const std::string& prompt) = 0;
  virtual void remember(const std::string& message) { (void)message; }
  virtual bool interactive() const = 0;
};

// Line editing if standard input and output are terminals. `history`: the file that remembers;
// empty: none. What cannot be read or written there is left alone.
std::unique_ptr<LineSource> open_line_source(const std::filesystem::path& history);

}  // namespace ponder
