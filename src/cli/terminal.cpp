#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/env.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"

namespace ponder {
namespace {

// Writes everything or says why not (errno); 0: all is written.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

// The number of kilobytes behind "Name:" in a file of /proc, in bytes.
uint64_t kilobytes_line(const char* path, std::string_view name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
    return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10) * 1024;
  }
  return 0;
}

}  // namespace

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

bool has_style(int descriptor) {
  return is_terminal(descriptor) && !environment("NO_COLOR") && environment("TERM") != "dumb";
}

int terminal_width(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string dimmed(std::string_view text, bool style) {
  if (!style || text.empty()) return std::string(text);
  return std::string(kDim) + std::string(text) + std::string(kReset);
}

Result<void> print(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error == 0) return {};
  if (error == EPIPE) return Failure{{.what = std::string(kOutputClosed)}};
  return Failure{{.what = std::string("cannot write: ") + std::strerror(error),
                  .where = "standard output",
                  .mend = error == ENOSPC ? "free some space" : ""}};
}

void print_error(std::string_view text) { write_all(STDERR_FILENO, text); }

ProgressLine::ProgressLine() : enabled_(is_terminal(STDERR_FILENO)), started_(Clock::now()) {}

ProgressSink ProgressLine::sink() {
  return [this](const ProgressReport& progress) {
    if (enabled_) report(progress);
    return !stop_flag();
  };
}

void ProgressLine::report(const ProgressReport& progress) {
  const auto now = Clock::now();
  if (what_ != progress.what) {
    what_ = progress.what;
    first_done_ = progress.done;
    started_ = now;
  }
  if (!due(now, std::chrono::milliseconds(100))) return;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = static_cast<double>(progress.done - first_done_) / seconds;
  print_error("\r" + progress_text(progress, rate, terminal_width(STDERR_FILENO)) + "\033[K");
}

void ProgressLine::show(std::string_view text) {
  if (enabled_ && due(Clock::now(), std::chrono::milliseconds(500)))
    print_error("\r" + std::string(text) + "\033[K");
}

// Marks the line as drawn if it is time for it. The first 300 ms pass without one.
bool ProgressLine::due(Clock::time_point now, std::chrono::milliseconds pause) {
  if (shown_ ? now - drawn_ < pause : now - started_ < std::chrono::milliseconds(300)) return false;
  shown_ = true;
  drawn_ = now;
  return true;
}

void ProgressLine::clear() {
  if (shown_) print_error("\r\033[K");
  shown_ = false;
}

uint64_t peak_memory() { return kilobytes_line("/proc/self/status", "VmHWM"); }

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

uint64_t system_memory(std::string_view name) { return kilobytes_line("/proc/meminfo", name); }

}  // namespace ponder
