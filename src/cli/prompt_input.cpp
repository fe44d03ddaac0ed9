#include "cli/prompt_input.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/file.hpp"
#include "cli/interrupt.hpp"
#include "cli/terminal.hpp"

namespace ponder {
namespace {

constexpr size_t kLimit = 256u << 20;

// Whether standard input was redirected from something that has content, rather than closed, a
// terminal or /dev/null.
bool input_is_redirected() {
  struct stat status {};
  if (::fstat(STDIN_FILENO, &status) != 0) return false;
  return S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode);
}

void tell_if_waiting() {
  if (!is_terminal(STDERR_FILENO)) return;
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  if (!is_terminal(STDIN_FILENO) && ::poll(&input, 1, 2000) != 0) return;
  print_error("reading the prompt from standard input; Ctrl-D ends it\n");
}

Result<std::string> read_descriptor(int descriptor, const std::string& where) {
  std::string text;
  char block[65536];
  while (true) {
    const ssize_t count = ::read(descriptor, block, sizeof block);
    if (stop_flag()) return Failure{{.what = "stopped"}};
    if (count == 0) return text;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return Failure{{.what = std::string("cannot read: ") + std::strerror(errno), .where = where}};
    text.append(block, static_cast<size_t>(count));
    if (text.size() > kLimit) return Failure{{.what = "more than 256 MB", .where = where}};
  }
}

}  // namespace

Result<std::string> read_standard_input() {
  tell_if_waiting();
  return read_descriptor(STDIN_FILENO, "standard input");
}

Result<std::string> read_input(const std::string& file) {
  if (file == "-") return read_standard_input();
  std::error_code ignored;
  const auto kind = std::filesystem::status(file, ignored).type();
  if (kind != std::filesystem::file_type::fifo && kind != std::filesystem::file_type::character)
    return read_file(file, kLimit);
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return Failure{{.what = std::string("cannot open: ") + std::strerror(errno), .where = file}};
  auto text = read_descriptor(descriptor, file);
  ::close(descriptor);
  return text;
}

Result<std::string> gather_prompt(const std::vector<std::string>& words, bool exact) {
  std::string prompt;
  for (const std::string& word : words) prompt += (prompt.empty() ? "" : " ") + word;
  if (words.empty() || input_is_redirected()) {
    std::string input = PONDER_TRY(read_standard_input());
    while (!exact && !input.empty() && (input.back() == '\n' || input.back() == '\r'))
      input.pop_back();
    if (!prompt.empty() && !input.empty()) prompt += "\n\n";
    prompt += input;
  }
  if (prompt.find_first_not_of(" \t\r\n") == std::string::npos)
    return Failure{{.what = "the prompt is empty",
                    .mend = "write it behind the flags, or pipe it to standard input"}};
  return prompt;
}

}  // namespace ponder
