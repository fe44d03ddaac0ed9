// Messages of several lines: between two lines with """, or with a backslash at the end of a line.
#pragma once

#include <string>
#include <string_view>

namespace ponder {

class MessageReader {
 public:
  // Adds one line (without line feed; one that was pasted may hold some). True: the message is
  // complete.
  bool push(std::string_view line);
  // The complete message; the reader is then as new.
  std::string take();
  void clear();
  bool empty() const { return !open_; }  // no message has begun
  // Whether the message may be a command: one line, written as it is.
  bool is_plain() const { return plain_; }

 private:
  bool open_ = false;    // a message has begun and is not complete
  bool quoted_ = false;  // inside """
  bool plain_ = false;
  std::string text_;
};

}  // namespace ponder
