// Standard output and standard error: what they are, writing to them, and a line of progress.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/progress.hpp"
#include "base/result.hpp"

namespace ponder {

// Whether this descriptor is a terminal.
bool is_terminal(int descriptor);
// Whether text for this descriptor may be dimmed: a terminal, not TERM=dumb, NO_COLOR unset
// (https://no-color.org).
bool has_style(int descriptor);
int terminal_width(int descriptor);  // columns; 80 if unknown

inline constexpr std::string_view kDim = "\033[2m";
inline constexpr std::string_view kReset = "\033[0m";
// `text` between kDim and kReset if `style`.
std::string dimmed(std::string_view text, bool style);

// The error of print() when nobody reads any more: main() then ends quietly.
inline constexpr std::string_view kOutputClosed = "standard output is closed";

// Writes to standard output at once, unbuffered.
Result<void> print(std::string_view text);
// Writes to standard error; nobody can be told if that fails.
void print_error(std::string_view text);

// One line on standard error that work redraws; nothing unless that is a terminal. Cleared by
// clear() and on destruction. Work shorter than a moment shows nothing.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Draws reports and asks the work to stop after Ctrl-C. The line must outlive the sink.
  ProgressSink sink();
  // Shows this text instead of a bar.
  void show(std::string_view text);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void report(const ProgressReport& report);
  bool due(Clock::time_point now, std::chrono::milliseconds pause);

  bool enabled_;
  bool shown_ = false;
  std::string what_;  // of the last report: another work has another rate
  uint64_t first_done_ = 0;
  Clock::time_point started_, drawn_;
};

// Peak memory of this process in bytes (VmHWM); 0 if the system does not tell.
uint64_t peak_memory();
// Forgets the peak so far, if the system lets us.
void reset_peak_memory();
// Bytes that the named line of /proc/meminfo tells ("MemTotal"); 0 if it does not.
uint64_t system_memory(std::string_view name);

}  // namespace ponder
